internal import EventLoop
internal import Glibc
internal import ProxyServer
internal import Synchronization
internal import System

/// The listening sockets of one run: bound as the plan says, or inherited from the service manager.
final class Sockets: Sendable {
    /// A connection without a byte is handed over by the kernel only after about this long.
    private static let deferAcceptSeconds = 1

    /// The proxy's address, for the log.
    let text: String
    /// The admin listener's, or `off`.
    let adminText: String
    /// The proxy's sockets were inherited.
    let areInherited: Bool
    /// Socket files that this process made.
    private let proxyPath: String?
    private let adminPath: String?
    private let admin: Listener?
    /// By worker, until the server takes them.
    private let proxy: Mutex<[[Listener]]>

    init(_ plan: ServePlan) throws(Failure) {
        let inherited = try InheritedSockets()
        areInherited = !inherited.proxy.isEmpty
        let listeners: [[Listener]]
        if areInherited {
            listeners = Array(repeating: inherited.proxy, count: plan.threads)
            proxyPath = nil
            text = inherited.proxy.map { $0.address?.text ?? "unknown" }.joined(separator: ",")
        } else {
            listeners = try Self.bind(plan).map { [$0] }
            proxyPath = plan.listenAddress.unixPath
            text = plan.listenAddress.text(boundPort: listeners[0][0].port)
        }
        admin = if let listener = inherited.admin { listener } else { try plan.admin.bind() }
        adminPath = inherited.admin == nil ? plan.admin.address?.unixPath : nil
        adminText = admin.map { $0.address?.text ?? "unknown" } ?? "off"
        proxy = Mutex(listeners)
    }

    private static func bind(_ plan: ServePlan) throws(Failure) -> [Listener] {
        do throws(SystemError) {
            return try plan.listenAddress.bind(
                count: plan.threads, backlog: plan.backlog, deferAcceptSeconds: deferAcceptSeconds)
        } catch {
            throw Failure(
                .unavailable,
                "\(plan.listen.name): cannot listen on '\(plan.listen.value)': \(plan.listenAddress.complaint(error))"
                    + (error == .addressNotAvailable ? "" : "; give another address"))
        }
    }

    /// Only this machine can connect to the proxy: loopback addresses and Unix-domain sockets.
    var areOnLoopback: Bool { Self.isOnLoopback(text) }
    /// Only this machine can connect to the admin listener, and there is one.
    var isAdminOnLoopback: Bool { Self.isOnLoopback(adminText) }

    static func isOnLoopback(_ text: String) -> Bool {
        text.split(separator: ",").allSatisfy {
            $0.hasPrefix("127.") || $0.hasPrefix("[::1]:") || $0.hasPrefix("unix:")
        }
    }

    /// Hands the listeners over: whoever holds one keeps its queue open.
    func takeProxyListeners() -> [[Listener]] {
        proxy.withLock { each in
            defer { each = [] }
            return each
        }
    }

    func startAdmin(_ facts: AdminFacts) throws(SystemError) {
        if let admin { try AdminServer(admin, facts).start() }
    }

    /// Before the listener closes: another process may bind the path from now on.
    func unlinkProxyPath() {
        if let proxyPath { unlink(proxyPath) }
    }

    func unlinkAdminPath() {
        if let adminPath { unlink(adminPath) }
    }
}

extension ListenAddress {
    fileprivate var unixPath: String? {
        if case .unix(let path) = self { path } else { nil }
    }
}
