internal import EventLoop
internal import Glibc
internal import System

/// Listening sockets that the service manager opened for this process: sd_listen_fds(3).
struct InheritedSockets {
    private static let firstDescriptor: CInt = 3
    private static let mostDescriptors = 64
    /// What `FileDescriptorName=` must say of the admin listener's socket; any other is the proxy's.
    private static let adminName = "admin"

    private(set) var proxy: [Listener] = []
    private(set) var admin: Listener?

    /// Takes them over; a process that this one starts does not see them.
    init() throws(Failure) {
        let process = Environment.value("LISTEN_PID")
        let count = Environment.value("LISTEN_FDS")
        let names = Environment.value("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        guard let process, let count, process == "\(getpid())" else { return }
        guard let count = Int(count), 0...Self.mostDescriptors ~= count else {
            throw Failure(.configuration, "LISTEN_FDS: '\(count)' is not a number from 0 to \(Self.mostDescriptors)")
        }
        for index in 0..<count {
            let listener = try Self.listener(Self.firstDescriptor + CInt(index))
            if index < names.count, names[index] == Self.adminName { admin = listener } else { proxy.append(listener) }
        }
    }

    private static func listener(_ descriptor: CInt) throws(Failure) -> Listener {
        do throws(SystemError) {
            if let listener = try Listener(inheriting: descriptor) { return listener }
        } catch {
            throw Failure(.configuration, "LISTEN_FDS: descriptor \(descriptor): \(error.summary)")
        }
        throw Failure(
            .configuration,
            "LISTEN_FDS: descriptor \(descriptor) is not a listening stream socket (Accept=no is needed)")
    }
}
