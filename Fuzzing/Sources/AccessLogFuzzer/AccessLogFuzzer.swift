import AccessPolicy

private let newline = UInt8(ascii: "\n")
private let policy = Policy.builtIn

/// Whatever stands in a log, what is learned from it are rights that load, and a name of one alias stays its own.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    var lessons = LogLessons(policy.table)
    for line in input.split(separator: newline) { lessons.read(Array(line).span) }
    for (_, lesson) in lessons.lessons {
        precondition(lesson.organizations.count <= Lesson.mostNames && lesson.requests > 0)
        // The name stands in the file as it was given, so only here it is made up.
        let learned = LearnedRights(lesson, alias: "fuzzed", policy)
        guard !learned.isEmpty else { continue }
        do throws(PolicyFileError) {
            let read = try Policy(file: learned.policyLines.joined(separator: "\n"))
            precondition(read.sets.operations(of: "learned-fuzzed")?.count == learned.grants.count)
        } catch {
            fatalError(error.description)
        }
    }
    return 0
}
