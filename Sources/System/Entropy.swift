internal import CEpoll

/// Random bytes of the kernel (getrandom(2)).
package enum Entropy {
    /// Fills `bytes` bytes.
    package static func bytes(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        _ = try checked(bytes.withUnsafeMutableBytes { cepoll_random($0.baseAddress, $0.count) })
        return bytes
    }
}
