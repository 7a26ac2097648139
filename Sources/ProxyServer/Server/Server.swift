package import AccessPolicy
package import DeviceFlow
package import EventLoop
internal import Synchronization
package import System
package import TokenStore

/// The proxy: its workers, each with a thread, a listener and a reactor of its own.
package final class Server: Sendable {
    private let state: ServerState
    /// What the workers may hold for their clients in total.
    package let memory: MemoryBudget
    private let spooler: Spooler?
    /// Until the workers are started: a listener lives as long as the workers that accept from it.
    private let listeners: Mutex<[[Listener]]>
    private let mailboxes: [Mailbox<WorkerMail>]
    /// One for each worker, opened when it has ended.
    private let ends: [Latch]
    private let log: LogWriter
    private let reports: WorkerReports

    /// - Parameters:
    ///   - listeners: for each worker its own; as many workers are made.
    ///   - renew: asks the broker for a newer token than the one of the given version.
    package init(
        configuration: ServerConfiguration, listeners: [[Listener]], tokens: TokenPublisher,
        policy: Published<PolicyConfiguration>, addresses: Published<ResolvedAddresses>, tls: Published<TLSContexts>,
        log: LogWriter, deviceFlow: DeviceAuthorizer? = nil,
        renew: @escaping @Sendable (UInt64) async -> RenewalOutcome
    ) throws(SystemError) {
        memory = MemoryBudget(bytes: configuration.bodies.memoryBytes, shares: listeners.count)
        let bodies = configuration.bodies
        spooler = bodies.longChunked == .spool ? try Spooler(bodies.spoolPlace, most: bodies.spoolBytes) : nil
        state = ServerState(
            configuration: configuration, tokens: tokens, policy: policy, addresses: addresses, tls: tls, log: log,
            memory: memory, spooler: spooler,
            deviceFlow: deviceFlow.map { flow in
                ConsultationDoor(hasReadGrants: { flow.hasReadGrants }, handle: { flow.handle($0, $1) })
            },
            renew: { version, answer in Task.detached { answer(await renew(version)) } })
        self.listeners = Mutex(listeners)
        self.log = log
        var mailboxes: [Mailbox<WorkerMail>] = []
        for _ in listeners { mailboxes.append(try Mailbox()) }
        self.mailboxes = mailboxes
        ends = listeners.map { _ in Latch() }
        reports = WorkerReports(count: listeners.count)
    }

    /// Starts one thread for each worker.
    /// - Throws: what kept one of them from starting; the others may run then, and the process is to be ended.
    package func start() throws(SystemError) {
        let listenersOfWorkers = listeners.withLock { each in
            defer { each = [] }
            return each
        }
        try spooler?.start()
        var starts: [WorkerStart] = []
        for (index, mailbox) in mailboxes.enumerated() {
            let listeners = Listeners(listenersOfWorkers[index])
            let start = WorkerStart()
            starts.append(start)
            try Thread(name: "worker-\(index)") { [state, log, reports, end = ends[index]] in
                defer { end.open() }
                do throws(SystemError) {
                    let worker = try start.result { () throws(SystemError) in
                        try Worker(state, listeners: listeners, mailbox: mailbox)
                    }
                    worker.run()
                    reports.update(
                        index, worker.counters, longestIteration: worker.reactor.takeLongestIteration(), hasEnded: true)
                } catch {
                    log.log(.critical, "a worker could not start", [("error", error.summary)])
                    reports.update(index, Counters(), longestIteration: .zero, hasEnded: true)
                }
            }.detach()
        }
        for start in starts { try start.wait() }
    }

    /// Tells the workers that a new token, policy or address list was published.
    package func publishedChanged() {
        for mailbox in mailboxes { mailbox.post(.publishedChanged) }
    }

    /// Stops accepting; requests in flight continue.
    package func drain() {
        for mailbox in mailboxes { mailbox.post(.drain) }
    }

    /// Ends the workers immediately.
    package func stop() {
        for mailbox in mailboxes { mailbox.post(.stop) }
    }

    /// Waits until all workers have ended.
    package func join() {
        for end in ends { end.wait() }
    }

    /// Asks the workers for their counters and waits for at most `time`. One that does not answer in time, or has
    /// ended, is shown as it was last seen. Not to be called on a worker's thread.
    package func collect(within time: Duration) -> [WorkerReport] {
        let question = reports.ask()
        for (index, mailbox) in mailboxes.enumerated() where question.isAsked(index) {
            mailbox.post(
                .report { [reports] counters, longestIteration in
                    reports.update(index, counters, longestIteration: longestIteration)
                    question.answered(index)
                })
        }
        return reports.take(question, within: time)
    }

    /// Asks the workers for what they have learned of aliases in shadow mode.
    /// - Returns: what came within `time`, and whether that is all.
    func collectLessons(within time: Duration) -> (lessons: [Lessons], isWhole: Bool) {
        let question = reports.ask()
        let answers = LessonCollection()
        for (index, mailbox) in mailboxes.enumerated() where question.isAsked(index) {
            mailbox.post(
                .lessons { lessons in
                    answers.add(lessons)
                    question.answered(index)
                })
        }
        let missing = question.wait(within: time)
        return (answers.all, !missing.contains(true))
    }

    /// Bytes of bodies in files.
    package var spooledBytes: Int { spooler?.spooledBytes ?? 0 }

    /// Whether a worker has ended.
    package var hasLostWorkers: Bool { reports.hasEnded }

    /// The longest iteration of each worker's loop since this was last asked.
    package func takeLongestIterations() -> [Duration] { reports.takeLongestIterations() }
}

/// How a worker's start, on its own thread, turned out.
private final class WorkerStart: Sendable {
    private let error = Mutex<SystemError?>(nil)
    private let isKnown = Latch()

    /// Makes the worker, and tells who waits.
    func result<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(SystemError) -> Value {
        defer { isKnown.open() }
        do throws(SystemError) {
            return try body()
        } catch let failure {
            error.withLock { $0 = failure }
            throw failure
        }
    }

    func wait() throws(SystemError) {
        isKnown.wait()
        if let error = error.withLock({ $0 }) { throw error }
    }
}
