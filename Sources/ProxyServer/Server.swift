package import AccessPolicy
package import EventLoop
internal import Synchronization
package import TokenStore

/// The proxy: its workers, each with a thread, a listener and a reactor of its own.
package final class Server: Sendable {
    private let state: ServerState
    private let listeners: [[Listener]]
    private let mailboxes: [Mailbox<WorkerMail>]
    private let threads = Mutex<[Thread]>([])
    private let log: LogWriter

    /// - Parameters:
    ///   - listeners: for each worker its own; as many workers are made.
    ///   - renew: asks the broker for a newer token than the one of the given version.
    package init(
        configuration: ServerConfiguration, listeners: [[Listener]], tokens: TokenPublisher,
        policy: Published<PolicyConfiguration>, addresses: Published<ResolvedAddresses>, tls: Published<TLSContexts>,
        log: LogWriter,
        renew: @escaping @Sendable (UInt64) async -> RenewalOutcome
    ) throws(SystemError) {
        state = ServerState(
            configuration: configuration, tokens: tokens, policy: policy, addresses: addresses, tls: tls,
            log: log, renew: renew)
        self.listeners = listeners
        self.log = log
        var mailboxes: [Mailbox<WorkerMail>] = []
        for _ in listeners { mailboxes.append(try Mailbox()) }
        self.mailboxes = mailboxes
    }

    /// Starts one thread for each worker.
    package func start() throws(SystemError) {
        for (index, mailbox) in mailboxes.enumerated() {
            let listeners = Listeners(listeners[index])
            let thread = try Thread(name: "worker-\(index)") { [state, log] in
                do throws(SystemError) {
                    try Worker(state, listeners: listeners, mailbox: mailbox).run()
                } catch {
                    log.log(.critical, "a worker could not start", [("error", error.summary)])
                }
            }
            threads.withLock { $0.append(thread) }
        }
    }

    /// Tells the workers that a token, the policy or the addresses were published anew.
    package func publishedChanged() {
        for mailbox in mailboxes { mailbox.post(.publishedChanged) }
    }

    /// Stops accepting; what is in flight goes on.
    package func drain() {
        for mailbox in mailboxes { mailbox.post(.drain) }
    }

    /// Ends the workers at once.
    package func stop() {
        for mailbox in mailboxes { mailbox.post(.stop) }
    }

    /// Waits until all workers have ended.
    package func join() {
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    /// Collects the workers' counters.
    /// - Parameter answer: called once for each worker, on its thread: index, counters, longest turn in nanoseconds.
    package func report(_ answer: @escaping @Sendable (Int, Counters, UInt64) -> Void) {
        for (index, mailbox) in mailboxes.enumerated() {
            mailbox.post(.report { answer(index, $0, $1) })
        }
    }
}
