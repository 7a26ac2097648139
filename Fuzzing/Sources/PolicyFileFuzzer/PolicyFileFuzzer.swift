import AccessPolicy

/// A file is refused at a line of it, or every set of it allows something that is an alias's.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    do throws(PolicyFileError) {
        let policy = try Policy(file: text)
        for name in policy.sets.names {
            guard let operations = policy.sets.operations(of: name), !operations.isEmpty else {
                fatalError("empty set")
            }
            // What ends narrowing is in no set without the word.
            guard !text.contains("danger") else { continue }
            for row in operations.operations {
                precondition(name == "mcp-manage" || !policy.table.operations[row].operationClass.isNever)
            }
        }
    } catch {
        precondition(1...(count + 1) ~= error.line)
        precondition(!error.message.isEmpty)
    }
    return 0
}
