internal import Glibc

/// Bytes that never print: a token or a password.
///
/// The storage is shared by reference and wiped with `explicit_bzero(3)` when the last copy goes, so that a copy of a
/// `Secret` costs a retain and leaves no second copy of the bytes. Nothing here turns the bytes into a `String`.
package struct Secret: Sendable {
    private let storage: Storage

    /// Copies `bytes`; the caller's array is unchanged. Prefer `init(wiping:)` if the array is your own.
    package init(_ bytes: [UInt8]) {
        storage = Storage(bytes)
    }

    /// Copies `bytes`, wipes them where they were and leaves the array empty.
    package init(wiping bytes: inout [UInt8]) {
        storage = Storage(bytes)
        wipe(&bytes)
    }

    /// Length in bytes.
    package var count: Int { storage.count }

    /// The only door to the bytes. They must not outlive `body`.
    package func withBytes<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try storage.withBytes(body)
    }

    /// The last four bytes for a status page, or `nil` when the secret is so short (under 16 bytes) that four say too much.
    package var lastFour: String? {
        guard count >= 16 else { return nil }
        return withBytes { bytes in
            var hint = ""
            for index in (bytes.count - 4)..<bytes.count {
                let byte = bytes[index]
                hint.unicodeScalars.append(Unicode.Scalar((0x21...0x7E).contains(byte) ? byte : 0x3F))
            }
            return hint
        }
    }

    /// How long the secret is, in a range wide enough to identify nothing.
    package var lengthClass: String {
        switch count {
        case ..<16: "under 16"
        case ..<32: "16 to 31"
        case ..<64: "32 to 63"
        case ..<128: "64 to 127"
        default: "128 or more"
        }
    }
}

extension Secret: Equatable {
    /// Takes a time that depends on the two lengths alone, never on where the bytes differ.
    package static func == (left: Secret, right: Secret) -> Bool {
        left.withBytes { a in
            right.withBytes { b in
                guard a.count == b.count else { return false }
                var difference: UInt8 = 0
                for index in 0..<a.count { difference |= a[index] ^ b[index] }
                return difference == 0
            }
        }
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

/// Overwrites `bytes` in place, in a way the optimizer must keep, and empties the array.
///
/// Meant for arrays that one holds alone: a shared one would be copied first and the copy wiped.
func wipe(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { buffer in
        if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
    }
    bytes.removeAll()
}

extension Secret {
    // `@unchecked`: the memory is written in `init` and in `deinit` only, between them it is read-only.
    private final class Storage: @unchecked Sendable {
        private let memory: UnsafeMutableBufferPointer<UInt8>

        var count: Int { memory.count }

        init(_ bytes: [UInt8]) {
            memory = .allocate(capacity: bytes.count)
            _ = memory.initialize(fromContentsOf: bytes)
        }

        deinit {
            if let base = memory.baseAddress { explicit_bzero(base, memory.count) }
            memory.deallocate()
        }

        func withBytes<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
            // The memory lives as long as `self`, which the caller's `Secret` holds through this call.
            defer { withExtendedLifetime(self) {} }
            return try body(UnsafeBufferPointer(memory).span)
        }
    }
}
