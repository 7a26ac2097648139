internal import AccessPolicy
internal import DeviceFlow
internal import EventLoop
internal import Synchronization
internal import System
package import TLS
internal import TokenStore

/// What other threads tell a worker.
enum WorkerMail: Sendable {
    /// A token, the policy or the addresses were published anew.
    case publishedChanged
    /// A spooled body was read or written.
    case spooled(SpoolJob)
    case renewalEnded(version: UInt64, RenewalOutcome)
    /// The device flow has answered.
    case consulted(EventToken, DeviceAnswer?)
    /// Accept no more, finish what is in flight, end.
    case drain
    /// End now.
    case stop
    /// Tell the counters and the longest iteration since the last such mail.
    case report(@Sendable (Counters, Duration) -> Void)
    /// Tell what was learned of aliases in shadow mode.
    case lessons(@Sendable (Lessons) -> Void)
}

/// TLS on the two sides; nil is plain.
package struct TLSContexts: Sendable {
    /// For the upstream.
    package var client: TLSClientContext?
    /// For the clients.
    package var server: TLSServerContext?

    package init(client: TLSClientContext? = nil, server: TLSServerContext? = nil) {
        self.client = client
        self.server = server
    }
}

/// The device flow, as a worker sees it.
struct ConsultationDoor: Sendable {
    /// False until the grants have been read once: an alias that is not known may be one of them.
    var hasReadGrants: @Sendable () -> Bool
    /// Hands a call in, and returns at once; the answer is told later, on any thread. Nil is to close without one.
    var handle: @Sendable (DeviceCall, @escaping @Sendable (DeviceAnswer?) -> Void) -> Void
}

/// Asks for a newer token than the one of the given version, and returns at once; what became of it is told later, on any
/// thread.
typealias RenewalDoor = @Sendable (UInt64, @escaping @Sendable (RenewalOutcome) -> Void) -> Void

/// What the workers share: published values and two counts that bound the whole process.
final class ServerState: Sendable {
    let configuration: ServerConfiguration
    let tokens: TokenPublisher
    let policy: Published<PolicyConfiguration>
    let addresses: Published<ResolvedAddresses>
    let tls: Published<TLSContexts>
    let log: LogWriter
    let memory: MemoryBudget
    /// Nil when it is off.
    let deviceFlow: ConsultationDoor?
    /// Nil when no body is spooled.
    let spooler: Spooler?
    private let renewToken: RenewalDoor
    // Written for every request, by all workers: a block of its own beside what they only read.
    private let before = InlineArray<8, UInt64>(repeating: 0)
    private let descriptors = Atomic<Int>(0)
    private let requests = Atomic<Int>(0)
    private let after = InlineArray<8, UInt64>(repeating: 0)
    private let isBaseWarned = Atomic<Bool>(false)
    private let proxyWarnedAt = Atomic(Instant.never)

    init(
        configuration: ServerConfiguration, tokens: TokenPublisher, policy: Published<PolicyConfiguration>,
        addresses: Published<ResolvedAddresses>, tls: Published<TLSContexts>, log: LogWriter, memory: MemoryBudget,
        spooler: Spooler?, deviceFlow: ConsultationDoor? = nil,
        renew: @escaping RenewalDoor
    ) {
        self.configuration = configuration
        self.tokens = tokens
        self.policy = policy
        self.addresses = addresses
        self.tls = tls
        self.log = log
        self.memory = memory
        self.spooler = spooler
        self.deviceFlow = deviceFlow
        renewToken = renew
    }

    /// Asks the broker, off the workers' threads, and has it answer by mail.
    func renew(ifStill version: UInt64, answerTo mailbox: Mailbox<WorkerMail>) {
        renewToken(version) { mailbox.post(.renewalEnded(version: version, $0)) }
    }

    /// Tells once what the upstream's base should be.
    func warnOfBase(_ base: Span<UInt8>) {
        guard !isBaseWarned.exchange(true, ordering: .relaxed) else { return }
        let bytes = (0..<min(base.count, Bounds.notedHostBytes + 8)).map { base[$0] }
        let text = String(decoding: bytes, as: UTF8.self)
        log.log(
            .warning,
            "the upstream redirects to another address of its own, and clients get 502: set that as --sentry-uri",
            [("base", text)])
    }

    /// Tells, at most once a minute, that the forward proxy does not let requests through.
    func warnOfProxy(_ failure: TunnelFailure) {
        let now = Clock.now
        let last = proxyWarnedAt.load(ordering: .relaxed)
        guard last == .never || now >= last + .seconds(60),
            proxyWarnedAt.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
        else { return }
        let answer =
            switch failure {
            case .refused(407): "407: it wants other credentials (--upstream-proxy-credentials-file)"
            case .refused(let status): "\(status)"
            case .malformedAnswer, .system: "nothing of HTTP"
            }
        log.log(.warning, "the forward proxy (--upstream-proxy) does not let requests through", [("answer", answer)])
    }

    // MARK: Bounds

    /// Descriptors in use by connections and spooled bodies.
    var openDescriptors: Int { descriptors.load(ordering: .relaxed) }

    func descriptorOpened() {
        descriptors.add(1, ordering: .relaxed)
    }

    func descriptorClosed() {
        descriptors.subtract(1, ordering: .relaxed)
    }

    /// Clients stop short of the limit, so that those which are in can still be dialed for.
    var mayAccept: Bool {
        let limit = configuration.descriptorLimit - Bounds.reservedDescriptors
        return openDescriptors <= limit - limit / 16
    }

    /// Looked at before the descriptor is opened, so reactors that look at once may exceed it by one each:
    /// the reserve has room for that.
    var mayDial: Bool {
        openDescriptors < configuration.descriptorLimit - Bounds.reservedDescriptors
    }

    /// Counts a request in, unless there are too many.
    func requestBegan() -> Bool {
        let most = configuration.maxRequests ?? memory.bytes / Bounds.requestBytes
        guard requests.add(1, ordering: .relaxed).newValue <= most else {
            requests.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    func requestEnded() {
        requests.subtract(1, ordering: .relaxed)
    }
}
