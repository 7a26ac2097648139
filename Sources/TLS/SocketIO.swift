internal import COpenSSL

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The value of an environment variable; empty counts as unset.
func environmentValue(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}

/// Whether a file can be opened for reading: nil, or the `errno` that says why not.
func readError(_ path: String) -> CInt? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return errno }
    return status.st_mode & S_IFMT == S_IFDIR ? EISDIR : nil
}

/// Whether a path names a directory.
func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// A moment of a certificate, in seconds since 1970.
func seconds(of time: UnsafePointer<ASN1_TIME>) -> Int? {
    var parts = tm()
    guard ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
    return timegm(&parts)
}

enum SocketIO {
    case bytes(Int)
    case endOfStream
    case wouldBlock
    case failed(CInt)
}

/// recv(2), started again after a signal.
func receive(_ descriptor: CInt, into buffer: UnsafeMutableRawPointer, count: Int) -> SocketIO {
    while true {
        let result = recv(descriptor, buffer, count, 0)
        if result > 0 { return .bytes(result) }
        if result == 0 { return .endOfStream }
        switch errno {
        case EINTR: continue
        case EAGAIN: return .wouldBlock
        case let code: return .failed(code)
        }
    }
}

/// Sends two runs of bytes by one system call, started again after a signal; never raises SIGPIPE.
/// - Parameter more: more bytes or the close follow at once; the kernel may hold these back (MSG_MORE).
func send(
    _ descriptor: CInt, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer = .init(start: nil, count: 0),
    more: Bool
) -> SocketIO {
    let flags = CInt(MSG_NOSIGNAL) | (more ? CInt(MSG_MORE) : 0)
    while true {
        let result =
            if first.isEmpty {
                send(descriptor, second.baseAddress, second.count, flags)
            } else if second.isEmpty {
                send(descriptor, first.baseAddress, first.count, flags)
            } else {
                sendBoth(descriptor, first, second, flags)
            }
        if result >= 0 { return .bytes(result) }
        switch errno {
        case EINTR: continue
        case EAGAIN: return .wouldBlock
        case let code: return .failed(code)
        }
    }
}

private func sendBoth(
    _ descriptor: CInt, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, _ flags: CInt
) -> Int {
    var parts: InlineArray<2, iovec> = [
        iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: numericCast(first.count)),
        iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: numericCast(second.count)),
    ]
    var span = parts.mutableSpan
    // The kernel only reads, and only during the call; the caller keeps both runs alive for it.
    return span.withUnsafeMutableBufferPointer { parts in
        var message = msghdr()
        message.msg_iov = parts.baseAddress
        message.msg_iovlen = 2
        return sendmsg(descriptor, &message, flags)
    }
}

/// The connection is gone, whatever it was that found out.
func isReset(_ code: CInt) -> Bool {
    code == ECONNRESET || code == EPIPE || code == ECONNABORTED
}
