internal import Glibc
internal import System

/// Tells the service manager how this process is: sd_notify(3), a datagram of lines.
struct ServiceNotifier: Sendable {
    private let path: [UInt8]?

    /// Takes the address from the environment; without one, nobody is notified.
    init() {
        path = Environment.value("NOTIFY_SOCKET").map { Array($0.utf8) }
        unsetenv("NOTIFY_SOCKET")
    }

    func ready() { send("READY=1") }

    func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Clock.now.nanoseconds / 1_000)") }

    func stopping() { send("STOPPING=1") }

    /// Never waits: a manager that does not listen is not told.
    private func send(_ state: String) {
        guard let path else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard !path.isEmpty, path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            bytes.copyBytes(from: path)
            // An abstract address: unix(7).
            if path[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        }
        let fd = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard fd >= 0 else { return }
        defer { close(fd) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let text = Array(state.utf8)
        // Both pointers are used during the call only.
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(fd, text, text.count, CInt(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
