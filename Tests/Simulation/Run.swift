internal import AccessPolicy
internal import CEpoll
internal import DeviceFlow
internal import Glibc
internal import HTTP1
import System
internal import TLS
internal import TokenStore

@testable import EventLoop
@testable import ProxyServer

/// What stands behind the addresses of the upstream's name.
enum Address: CaseIterable {
    case up, slow, refusing, refusingLate, blackHole, unreachable, full
}

/// One run: one worker from its start to its end, with everybody that it meets. Its seed decides all of it.
///
/// There is one thread, so that what the proxy hands to others comes back on it.
final class Run: @unchecked Sendable {
    let seed: UInt64
    let isCalm: Bool
    private(set) var listener: CInt = -1
    private var random: Random
    private var plans: [Plan] = []
    private var clients: [Client] = []
    private var upstreams: [Upstream] = []
    private var addresses: [Address] = []
    private var unfinished = 0
    private(set) var worker: Worker!
    private(set) var shared: ServerState!
    private var mailbox: Mailbox<WorkerMail>!
    private var policy: Published<PolicyConfiguration>?
    private var hasRights = false
    private let hasDeviceFlow: Bool
    private var replayBytes = 0
    private var invariants = Invariants()
    /// What was found to be wrong, the first thing first.
    private(set) var complaints: [String] = []

    // The token source.
    private var tokens: TokenPublisher!
    private var tokenVersion = 1
    /// Sentry takes tokens from this one on.
    private var validVersion = 1
    private var publication: UInt64 = 1
    private var isRenewable = true
    /// The source has answered.
    private var hasToken = true
    private var renewals = 0

    private let fixtures: Fixtures
    private let exchanges: Int

    init(seed: UInt64, exchanges: Int, fixtures: Fixtures) {
        self.seed = seed
        self.fixtures = fixtures
        random = Random(seed: seed)
        isCalm = random.chance(250)
        hasRights = random.chance(250)
        hasDeviceFlow = random.chance(250)
        self.exchanges = random.within(1...max(1, 2 * exchanges - 1))
    }

    /// - Returns: how many exchanges there were.
    func run(isTraced: Bool) -> Int {
        kernel = Kernel(Random(seed: seed &+ 0x5eed))
        kernel.trace.isPrinted = isTraced
        kernel.world = self
        if isCalm {
            // To be slow is no fault: everybody gets his answer all the same.
            if random.chance(300) { kernel.weather.slowCalls = random.magnitude(30) }
        } else {
            kernel.weather = weather()
        }
        do {
            try serve()
        } catch {
            broken("no worker: \(error)", nil)
        }
        finish()
        return plans.count
    }

    func plan(_ number: Int) -> Plan? { plans.indices.contains(number) ? plans[number] : nil }

    func broken(_ what: String, _ plan: Plan?) {
        let whose = plan.map { " (client \($0.number): \($0.method) \($0.target))" } ?? ""
        complaints.append("\(what)\(whose) at \(kernel.clock / 1_000) µs")
        // The rest of a broken run says nothing.
        if complaints.count == 1 { mailbox?.post(.stop) }
    }

    // MARK: The world

    private func weather() -> Weather {
        var weather = Weather()
        if random.chance(400) { weather.fullSends = random.magnitude(300) }
        if random.chance(400) { weather.shortSends = random.magnitude(300) }
        if random.chance(200) { weather.exhaustedDescriptors = random.magnitude(300) }
        if random.chance(100) { weather.refusedWatches = random.magnitude(100) }
        if random.chance(200) { weather.slowCalls = random.magnitude(100) }
        if random.chance(100) { weather.interruptedWaits = random.magnitude(300) }
        if random.chance(200) { weather.shortReports = 500 }
        return weather
    }

    private func configuration() -> ServerConfiguration {
        let authority = Array(Grammar.upstream.utf8)
        var bodies = BodyLimits()
        if !isCalm {
            bodies.longChunked = random.pick(LongChunkedBody.allCases)
            if random.chance(200) { bodies.memoryBytes = 150_000 + random.magnitude(2_000_000) }
            if random.chance(200) { bodies.spoolBytes = random.magnitude(500_000) }
        }
        if isCalm, random.chance(300) {
            bodies.longChunked = .spool
            replayBytes = 1_000
        } else {
            replayBytes = isCalm ? 1_048_576 : random.pick([0, 1_000, 20_000, 262_144])
        }
        return ServerConfiguration(
            target: UpstreamTarget(authority: authority, acceptEncoding: random.pick(UpstreamEncoding.allCases)),
            rewriter: LinkRewriter(
                publicURL: nil, upstreamAuthority: authority, upstreamIsSecure: false, upstreamPrefix: []),
            hasPublicURL: false, headLimits: HeadLimits(),
            timeouts: Timeouts(head: .seconds(10), body: .seconds(25), response: .seconds(25), connect: .seconds(10)),
            replayBufferBytes: replayBytes,
            maxRequests: !isCalm && random.chance(100) ? random.within(1...10) : nil,
            descriptorLimit: !isCalm && random.chance(150) ? 64 + random.within(16...40) : 10_000,
            accessLog: random.pick(AccessLogMode.allCases), bodies: bodies)
    }

    private func serve() throws {
        let configuration = configuration()
        invariants.memoryBytes = configuration.bodies.memoryBytes
        isRenewable = random.chance(850)
        hasToken = !isRenewable || random.chance(900)
        tokens = TokenPublisher(initial: snapshot(tokenVersion))
        if !hasToken, random.chance(700) {
            kernel.after(microseconds(random.magnitude(3_000_000))) { [unowned self] in firstTokenRead() }
        }
        let policy = Published(try newPolicy())
        self.policy = policy
        addresses = someAddresses()
        let resolved = Published(resolution())
        let tls = Published(TLSContexts())
        let log = try LogWriter(descriptor: STDERR_FILENO, format: random.pick(LogFormat.allCases))
        let memory = MemoryBudget(bytes: configuration.bodies.memoryBytes, shares: 1)
        let spooler =
            configuration.bodies.longChunked == .spool
            ? try Spooler(.memory, most: configuration.bodies.spoolBytes) : nil
        shared = ServerState(
            configuration: configuration, tokens: tokens, policy: policy, addresses: resolved, tls: tls, log: log,
            memory: memory, spooler: spooler, deviceFlow: hasDeviceFlow ? consultationDoor() : nil,
            renew: { [unowned self] in renew($0, $1) })
        mailbox = try Mailbox()
        let socket = try Listener(address: SocketAddress(address: "10.0.0.200", port: 8_080)!, backlog: 128)
        listener = socket.descriptor
        worker = try Worker(shared, listeners: Listeners([socket]), mailbox: mailbox)
        makePlans(configuration.replayBufferBytes)
        if isCalm ? random.chance(200) : random.chance(100) { learnNamesLate(resolved) }
        if !isCalm { disturb(policy, resolved) }
        if isCalm, isRenewable, random.chance(400) {
            // Every request is sent again after its 401, and no client hears of it.
            kernel.after(microseconds(random.magnitude(3_000_000))) { [unowned self] in rotate() }
        }
        if let spooler { obey(spooler) }
        worker.run()
    }

    private func newPolicy() throws -> PolicyConfiguration {
        var words: [String] = []
        if hasRights {
            // Who may not do everything is answered by the proxy where the token is refused.
            let set = !isCalm && random.chance(300) ? "read-only" : "full"
            words = [set, "concurrency=\(isCalm ? 1_000 : random.within(1...8))"]
            if !isCalm, random.chance(200) { words.append("rate=\(random.within(1...100))/s") }
        }
        var entries = [AliasEntry(name: "main", token: Array(Grammar.alias.utf8), words: words, origin: .item(1))]
        for index in 0..<random.below(3) {
            let token = Array("\(Grammar.aliasMark)other-\(index)".utf8)
            entries.insert(
                AliasEntry(name: "other-\(index)", token: token, words: [], origin: .item(2)),
                at: random.below(entries.count + 1))
        }
        let maxBodyBytes: UInt64? = !isCalm && random.chance(100) ? 10_000 : nil
        // What is counted of an alias goes on over a reload.
        return PolicyConfiguration(
            aliases: try AliasTable(entries), maxBodyBytes: maxBodyBytes, after: policy?.current().value.rights)
    }

    /// Whether a request of the alias still counts as in flight, after the last one has ended.
    private var isCellLeft: Bool {
        guard let policy = policy?.current().value, let rights = policy.rights else { return true }
        let alias = policy.aliases?.match(Array(Grammar.alias.utf8).span) ?? 0
        guard let cell = rights.cell(of: alias) else { return true }
        defer { cell.leave() }
        return cell.enter(most: 1)
    }

    private func makePlans(_ replayBytes: Int) {
        let grammar = Grammar(
            isCalm: isCalm, hasDeviceFlow: hasDeviceFlow, replayBytes: replayBytes, requests: fixtures.requests,
            responses: fixtures.responses)
        plans = (0..<exchanges).map { grammar.plan($0, &random) }
        unfinished = plans.count
        for plan in plans {
            let client = Client(plan, self)
            clients.append(client)
            kernel.after(plan.startsAt) { client.start() }
        }
    }

    /// The disk is as slow as it likes.
    private func obey(_ spooler: Spooler) {
        spooler.obey()
        kernel.after(microseconds(1_000 + kernel.random.magnitude(300_000))) { [unowned self] in
            if unfinished > 0 { obey(spooler) }
        }
    }

    private func disturb(_ policy: Published<PolicyConfiguration>, _ resolved: Published<ResolvedAddresses>) {
        for _ in 0..<random.magnitude(6) {
            let time = microseconds(random.magnitude(3_000_000))
            switch random.below(6) {
            case 0: kernel.after(time) { [unowned self] in rotate() }
            case 1:
                kernel.after(time) { [unowned self] in
                    kernel.struck("reload")
                    if let next = try? newPolicy() { policy.publish(next) }
                    mailbox.post(.publishedChanged)
                }
            case 2:
                kernel.after(time) { [unowned self] in
                    kernel.struck("names change")
                    addresses = someAddresses()
                    resolved.publish(resolution())
                    mailbox.post(.publishedChanged)
                }
            case 3:
                kernel.after(time) { [unowned self] in
                    kernel.struck("addresses change")
                    for at in addresses.indices { addresses[at] = address() }
                }
            case 4 where random.chance(200):
                kernel.after(time) { [unowned self] in
                    kernel.struck("drain")
                    mailbox.post(.drain)
                }
            default:
                kernel.after(time) { [unowned self] in
                    mailbox.post(.report { _, _ in })
                }
            }
        }
    }

    /// Nothing is known of the name for a while.
    private func learnNamesLate(_ resolved: Published<ResolvedAddresses>) {
        resolved.publish(.pending)
        kernel.after(microseconds(random.magnitude(isCalm ? 4_000_000 : 15_000_000))) { [unowned self] in
            kernel.struck("name known late")
            resolved.publish(resolution())
            mailbox.post(.publishedChanged)
        }
    }

    private func address() -> Address { random.chance(700) ? .up : random.pick(Address.allCases) }

    /// One that answers is enough for everybody to get on.
    private func someAddresses() -> [Address] {
        var addresses = (0..<random.within(1...3)).map { _ in address() }
        if isCalm { addresses[random.below(addresses.count)] = .up }
        return addresses
    }

    private func resolution() -> ResolvedAddresses {
        if !isCalm, random.chance(50) {
            return ResolvedAddresses(addresses: [], failure: ResolveFailure(code: EAI_NONAME))
        }
        return ResolvedAddresses(
            addresses: addresses.indices.map { SocketAddress(address: "10.0.0.\($0)", port: 9_000)! })
    }

    // MARK: The token

    private func token(_ version: Int) -> String { "\(Grammar.tokenMark)\(version)" }

    private func snapshot(_ version: Int, isSuspect: Bool = false) -> TokenSnapshot {
        // Before its source has answered there is no token: with one, the first answer would be a new version of the same
        // token, and a request with the old version would be sent again for nothing.
        TokenSnapshot(
            version: publication, token: hasToken ? Secret(Array(token(version).utf8)) : nil,
            kind: isRenewable ? .system : .static, source: isRenewable ? .postgreSQL : .tokenFlag,
            isRenewable: isRenewable, health: hasToken ? .ready : .missing(.notReadYet), suspect: isSuspect)
    }

    private func publish(isSuspect: Bool) {
        publication += 1
        tokens.publish(snapshot(tokenVersion, isSuspect: isSuspect))
    }

    private func firstTokenRead() {
        guard !hasToken else { return }
        kernel.struck("token known late")
        hasToken = true
        tokenVersion = validVersion
        publish(isSuspect: false)
        mailbox.post(.publishedChanged)
    }

    /// Sentry takes the old token no more.
    private func rotate() {
        kernel.struck("rotation")
        validVersion += 1
    }

    /// The broker's door.
    private func renew(_ version: UInt64, _ answer: @escaping @Sendable (RenewalOutcome) -> Void) {
        renewals += 1
        let delay = microseconds(kernel.random.magnitude(!isCalm && kernel.random.chance(50) ? 40_000_000 : 500_000))
        kernel.after(delay) { [unowned self] in
            if version != publication {
                answer(.renewed)
            } else if !hasToken {
                firstTokenRead()
                answer(.renewed)
            } else if !isRenewable {
                answer(.unchanged)
            } else if !isCalm, kernel.random.chance(150) {
                kernel.struck("renewal unavailable")
                publish(isSuspect: true)
                mailbox.post(.publishedChanged)
                answer(.unavailable)
            } else if tokenVersion < validVersion {
                tokenVersion = validVersion
                publish(isSuspect: false)
                answer(.renewed)
            } else {
                kernel.struck("renewal unchanged")
                answer(.unchanged)
            }
        }
    }

    // MARK: The device flow

    private func consultationDoor() -> ConsultationDoor {
        let hasRead = isCalm || random.chance(900)
        return ConsultationDoor(hasReadGrants: { hasRead }, handle: { [unowned self] in consult($0, $1) })
    }

    /// What a client asked of the device flow.
    private func consult(_ call: DeviceCall, _ answer: @escaping @Sendable (DeviceAnswer?) -> Void) {
        guard let plan = call.client.flatMap({ plan(Int($0.low & 0xffff)) }) else {
            broken("the device flow is asked by nobody", nil)
            return
        }
        plan.consultations += 1
        if plan.consultations > 1 { broken("the device flow is asked twice", plan) }
        if plan.fixture == nil, call.form.array != (call.place.isRead ? [] : plan.body) {
            broken("another form at the device flow", plan)
        }
        if !isCalm, kernel.random.chance(50) {
            kernel.struck("device flow silent")
            return
        }
        let isMute = !isCalm && kernel.random.chance(100)
        let delay = microseconds(kernel.random.magnitude(isCalm ? 1_000_000 : 10_000_000))
        kernel.after(delay) {
            answer(
                isMute
                    ? nil
                    : DeviceAnswer(
                        status: 200, fields: "X-Answer: \(plan.number)\r\n", body: Secret(Self.deviceText(plan))))
        }
    }

    private static func deviceText(_ plan: Plan) -> [UInt8] {
        Array("{\"device\": \(plan.number), \"pad\": \"\(String(repeating: "p", count: plan.number % 7 * 900))\"}".utf8)
    }

    // MARK: What the upstream sees

    /// Whether the token of an elevated request is not good any more.
    func refuses(_ request: MessageReader) -> Bool {
        guard let sent = request.value("authorization"), sent.hasPrefix("Bearer \(Grammar.tokenMark)") else {
            return false
        }
        return (Int(sent.dropFirst("Bearer \(Grammar.tokenMark)".count)) ?? 0) < validVersion
    }

    func headArrived(_ plan: Plan?, _ request: MessageReader) {
        if request.headBytes.holds(Grammar.aliasMark) { broken("an alias went upstream", plan) }
        let tokens = request.fields.filter { $0.value.contains(Grammar.tokenMark) }
        guard let plan else { return }
        if hasDeviceFlow, plan.fixture == nil, plan.target.contains("oauth") {
            broken("a request to the device flow went upstream", plan)
        }
        guard plan.isElevated, !plan.target.hasPrefix("/oauth/") else {
            if !tokens.isEmpty { broken("a token on the bypass", plan) }
            return
        }
        guard tokens.count == 1, tokens[0].name == "authorization", request.count("authorization") == 1,
            let version = Int(tokens[0].value.dropFirst("Bearer \(Grammar.tokenMark)".count)),
            1...tokenVersion ~= version
        else {
            broken("an elevated request without its token", plan)
            return
        }
    }

    func requestArrived(_ plan: Plan?, _ request: MessageReader) {
        guard let plan else { return }
        plan.arrivals += 1
        if plan.arrivals > 1 + min(1, plan.refusals) { broken("one request too many upstream", plan) }
        if !plan.startLineMatches(request.startLine) {
            broken("another request line upstream: \(request.startLine)", plan)
        }
        guard plan.fixture == nil else { return }
        if plan.isCorrupt { broken("a corrupt request went upstream whole", plan) }
        if request.body != plan.body {
            broken("another body upstream: \(request.body.count) of \(plan.body.count) bytes", plan)
        }
    }

    // MARK: What a client sees

    func answered(_ plan: Plan, _ answer: MessageReader, _ bytes: [UInt8], isReset: Bool) {
        if bytes.holds(Grammar.tokenMark) { broken("a token reached a client", plan) }
        if bytes.holds("Www-Authenticate: Bearer\r\n"), plan.isElevated, !plan.target.hasPrefix("/oauth/") {
            broken("a challenge of Sentry's reached an elevated client", plan)
        }
        if answer.state == .complete, !(isReset && answer.isUntilClose) {
            judge(plan, answer)
        } else if isCalm, plan.isPatient, plan.answer.isPlain {
            broken("no whole answer: \(answer.state), \(bytes.count) bytes, \(isReset ? "reset" : "ended")", plan)
        }
    }

    private func judge(_ plan: Plan, _ answer: MessageReader) {
        guard plan.consultations == 0 else {
            judgeConsulted(plan, answer)
            return
        }
        // Bytes that are none may happen to be an answer.
        guard plan.answer.garbage.isEmpty else { return }
        // Whoever is refused before the request was read may have asked for a head only.
        if answer.extra > 0, plan.method != "HEAD" || answer.value("x-answer") != nil {
            broken("bytes behind the answer", plan)
        }
        guard let number = answer.value("x-answer") else {
            judgeOwn(plan, answer)
            return
        }
        guard number == String(plan.number) else {
            broken("the answer of client \(number)", plan)
            return
        }
        // One that came in place of the planned one is a 401 of the upstream's.
        guard answer.status == plan.answer.status, answer.status != 401 else {
            if answer.status != 401 { broken("another status: \(answer.status)", plan) }
            // A body that is not kept is not sent again.
            let isKept = plan.framing != .length || plan.body.count <= replayBytes
            if isCalm, isRenewable, isKept, plan.answer.status != 401 { broken("a 401 that a renewal mends", plan) }
            return
        }
        guard plan.method != "HEAD" else { return }
        let isCoded = answer.value("content-encoding") != nil
        let wanted =
            isCoded
            ? plan.answer.coded ?? []
            : plan.isElevated && plan.method == "GET" ? plan.answer.rewritten ?? plan.answer.body : plan.answer.body
        if isCoded, !plan.isGzip { broken("gzip that was not asked for", plan) }
        // An upstream's FIN is the end of a body without a length, wherever it comes; half of a JSON text goes on unchanged.
        // gzip tells its own end, but a body without a byte is empty in any coding.
        let mayBeShort =
            plan.answer.framing == .untilClose && plan.answer.breaks == .fin
            && (isCoded || plan.answer.coded == nil || plan.isCutBeforeBody)
        if plan.answer.corruptChunk != nil { broken("a corrupt answer looks whole", plan) }
        if answer.body != wanted,
            !mayBeShort || !(wanted.starts(with: answer.body) || plan.answer.body.starts(with: answer.body))
        {
            if kernel.trace.isPrinted {
                print("got: \(String(decoding: answer.body.prefix(1_000), as: UTF8.self))")
                print("instead of: \(String(decoding: wanted.prefix(1_000), as: UTF8.self))")
                print(
                    "planned: \(plan.fields) \(plan.answer.fields) \(plan.answer.framing) \(String(describing: plan.answer.breaks))"
                )
            }
            broken("another body: \(answer.body.count) of \(wanted.count) bytes, a whole answer", plan)
        }
    }

    private func judgeConsulted(_ plan: Plan, _ answer: MessageReader) {
        guard let number = answer.value("x-answer") else {
            broken("another answer than the device flow's: \(answer.startLine)", plan)
            return
        }
        if number != String(plan.number) { broken("the device flow's answer to client \(number)", plan) }
        // A fixture may be a HEAD request, whatever its plan says.
        guard plan.fixture == nil else { return }
        if answer.extra > 0 { broken("bytes behind the answer", plan) }
        if plan.method != "HEAD", answer.body != Self.deviceText(plan) {
            broken("another body of the device flow's: \(answer.body.count) bytes", plan)
        }
    }

    private func judgeOwn(_ plan: Plan, _ answer: MessageReader) {
        if isCalm, plan.isPatient, plan.answer.isPlain, !plan.isRefusedByDeviceFlow {
            broken("the proxy's own \(answer.status)", plan)
        }
        // A request without a number (a fixture) is answered 200 by the upstream.
        guard plan.fixture == nil else { return }
        if !(400..<600 ~= answer.status) { broken("an answer of nobody's: \(answer.startLine)", plan) }
    }

    func finished(_ plan: Plan) {
        guard !plan.isFinished else { return }
        plan.isFinished = true
        unfinished -= 1
        // The last one may hear of its end while the world is taken down, when there is nobody left to drain.
        if unfinished == 0 { mailbox?.post(.drain) }
    }

    // MARK: The end

    private func finish() {
        if complaints.isEmpty { check() }
        worker = nil
        shared = nil
        mailbox = nil
        tokens = nil
        clients = []
        upstreams = []
        kernel.tearDown()
        if complaints.isEmpty, kernel.openDescriptors > 0 {
            broken("\(kernel.openDescriptors) descriptors are left", nil)
        }
    }

    private func check() {
        // Bodies that were on their way to or from the disk.
        shared.spooler?.obey()
        worker.mailReady(now: worker.now)
        shared.spooler?.obey()
        for what in invariants.atTheEnd(worker, shared) { broken(what, nil) }
        if !isCellLeft { broken("a request counts as its alias's for ever", nil) }
    }
}

extension Run: World {
    func connecting(_ node: Node, to address: Int) -> CInt {
        let kind = addresses.indices.contains(address) ? addresses[address] : .refusing
        switch kind {
        case .up: break
        case .slow: kernel.struck("slow connect")
        case .refusing, .refusingLate: kernel.struck("refused connect")
        case .blackHole: kernel.struck("black hole")
        case .unreachable: kernel.struck("unreachable")
        case .full: kernel.struck("full queue")
        }
        switch kind {
        case .up where kernel.random.chance(600): established(node)
        case .up: kernel.after(microseconds(kernel.random.magnitude(20_000))) { [unowned self] in established(node) }
        case .slow: kernel.after(milliseconds(kernel.random.magnitude(4_000))) { [unowned self] in established(node) }
        case .refusing: return -ECONNREFUSED
        case .refusingLate:
            kernel.after(milliseconds(kernel.random.magnitude(1_000))) { kernel.connected(node, error: ECONNREFUSED) }
        case .blackHole: break
        case .unreachable: return -EHOSTUNREACH
        case .full where kernel.random.chance(600): return -EAGAIN
        case .full: established(node)
        }
        return -EINPROGRESS
    }

    private func established(_ node: Node) {
        guard !node.isClosed else { return }
        upstreams.append(Upstream(kernel.pair(node), self))
        kernel.connected(node, error: 0)
    }

    func iterationEnded(sleeps: Bool) {
        guard let worker, let shared, complaints.isEmpty else { return }
        if let what = invariants.afterIteration(worker, shared, sleeps: sleeps) { broken(what, nil) }
    }

    func isStuck() {
        broken("nothing will ever happen any more, and \(worker.exchanges.count) exchanges wait", nil)
        mailbox.post(.stop)
    }
}

extension Plan {
    /// What came is the client's own request line.
    func startLineMatches(_ line: String) -> Bool {
        guard fixture == nil else { return true }
        return line == "\(method) \(target) HTTP/1.1"
    }
}

extension Secret {
    fileprivate var array: [UInt8] {
        withBytes { bytes in bytes.withUnsafeBytes { Array($0) } }
    }
}
