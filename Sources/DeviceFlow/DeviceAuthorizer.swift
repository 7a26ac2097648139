package import AccessPolicy
internal import EventLoop
internal import Glibc
internal import Synchronization
package import System
internal import TokenStore

/// The authorization server of the device flow (RFC 8628) that ends with an alias of this proxy.
///
/// It has threads of its own, since its store blocks: those who ask hand a call in and get the answer on one of them.
package final class DeviceAuthorizer: Sendable {
    /// What it needs of the rest of the program.
    package struct Doors: Sendable {
        /// What may be granted at most, as the policy file has it now.
        package var ceiling: @Sendable () -> GrantCeiling
        /// The grants have changed: their aliases are to hold when this returns.
        package var publish: @Sendable ([Grant]) -> Void
        /// An alias that no grant made has this name.
        package var isNameTaken: @Sendable (String) -> Bool
        package var approvers: @Sendable () -> [Approver]
        /// What operators must show; nil when reaching the admin listener is enough.
        package var adminToken: @Sendable () -> TokenDigest?
        package var note: @Sendable (DeviceEvent) -> Void
        /// Seconds since 1970.
        package var now: @Sendable () -> Int64
        /// For what is over when the process ends.
        package var instant: @Sendable () -> Instant

        package init(
            ceiling: @escaping @Sendable () -> GrantCeiling, publish: @escaping @Sendable ([Grant]) -> Void,
            isNameTaken: @escaping @Sendable (String) -> Bool, approvers: @escaping @Sendable () -> [Approver],
            adminToken: @escaping @Sendable () -> TokenDigest? = { nil },
            note: @escaping @Sendable (DeviceEvent) -> Void,
            now: @escaping @Sendable () -> Int64 = { Clock.wall.seconds },
            instant: @escaping @Sendable () -> Instant = { Clock.now }
        ) {
            self.ceiling = ceiling
            self.publish = publish
            self.isNameTaken = isNameTaken
            self.approvers = approvers
            self.adminToken = adminToken
            self.note = note
            self.now = now
            self.instant = instant
        }
    }

    /// Calls that wait for a thread, at most.
    static let mostJobs = 1_024
    /// Threads when the store is a database: each asks it on a connection of its own.
    private static let sharedThreads = 4
    /// How often is looked whether another proxy has changed the grants: a withdrawal holds everywhere within a second.
    private static let lookPeriod: Duration = .milliseconds(300)

    let settings: DeviceFlowSettings
    let store: any DeviceStore
    let doors: Doors
    let asks = AskLimits(most: DeviceFlowSettings.mostAsked)
    let wrongs = AskLimits(
        most: DeviceFlowSettings.mostWrong, mostTogether: DeviceFlowSettings.mostWrongTogether)
    let startedAt: Int64
    private let threads: [Mailbox<@Sendable () -> Void>]
    private let next = Atomic<Int>(0)
    private let jobs = Atomic<Int>(0)
    private let counted = Mutex(DeviceCounts())
    private let known = Mutex(Known())
    /// One publication at a time, so that an older one never takes the place of a newer.
    private let publishing = Mutex(())

    /// What people should know of the proxy's own token.
    package var tokenWarning: String? {
        doors.ceiling().reach.isOrganizations ? Proposal.organizationWarning : nil
    }

    /// False until the grants have been read once: an alias that is not known may be one of them.
    package var hasReadGrants: Bool { wasRead.load(ordering: .acquiring) }
    private let wasRead = Atomic<Bool>(false)

    /// Seconds for which a shared store is asked what waits after somebody has looked.
    private static let lookedSeconds: Int64 = 5
    private let lookedAt = Atomic<Int64>(.min)

    private struct Known {
        var revision: [Int64]?
        /// What waited when was looked last, with a shared store.
        var waiting: [WaitingCode] = []
        var grants: [Grant] = []
        var isFailing = false
    }

    package init(_ settings: DeviceFlowSettings, _ store: any DeviceStore, _ doors: Doors) throws(SystemError) {
        self.settings = settings
        self.store = store
        self.doors = doors
        startedAt = doors.now()
        var threads: [Mailbox<@Sendable () -> Void>] = []
        for _ in 0..<(store.isShared ? Self.sharedThreads : 1) { threads.append(try Mailbox()) }
        self.threads = threads
    }

    /// Reads the grants that there are. A database that is away is asked again by `start`; until it has answered,
    /// `hasReadGrants` is false.
    package func loadFirst() throws(DeviceStoreFailure) {
        do throws(DeviceStoreFailure) { try refresh() } catch {
            guard store.isShared, error.isPassing else { throw error }
            failed(error)
        }
    }

    /// Starts the threads.
    package func start() throws(SystemError) {
        for (index, mailbox) in threads.enumerated() {
            try Thread(name: "device-\(index)") { [self] in
                while true {
                    var waiting = pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)
                    poll(&waiting, 1, -1)
                    for job in mailbox.takeAll() {
                        job()
                        jobs.subtract(1, ordering: .relaxed)
                    }
                }
            }.detach()
        }
        try Thread(name: "device-look") { [self] in
            let never = Latch()
            while !never.wait(within: Self.lookPeriod) { lookAround() }
        }.detach()
    }

    /// Hands a call in; `answer` is called on another thread, with nil when the connection is to be closed without one.
    package func handle(_ call: DeviceCall, _ answer: @escaping @Sendable (DeviceAnswer?) -> Void) {
        guard run({ [self] in answer(self.answer(call)) }) else {
            // A client that polls waits longer; one that refreshes must not take this for the end of its login.
            answer(
                call.place == .token
                    ? nil : .error("temporarily_unavailable", status: 503, fields: "Retry-After: 5\r\n"))
            return
        }
    }

    /// What operators must show; nil when reaching the admin listener is enough.
    package var adminToken: TokenDigest? { doors.adminToken() }

    /// Hands a question of an operator in.
    package func handle(_ question: [UInt8], _ answer: @escaping @Sendable (OperatorAnswer) -> Void) {
        guard run({ [self] in answer(self.answer(operator: question)) }) else {
            answer(OperatorAnswer(status: 503, text: "too many requests wait for the device flow"))
            return
        }
    }

    private func run(_ job: @escaping @Sendable () -> Void) -> Bool {
        guard jobs.add(1, ordering: .relaxed).newValue <= Self.mostJobs else {
            jobs.subtract(1, ordering: .relaxed)
            counted.withLock { $0.overload += 1 }
            return false
        }
        let index = next.add(1, ordering: .relaxed).newValue
        threads[Int(UInt(bitPattern: index) % UInt(threads.count))].post(job)
        return true
    }

    // MARK: What is told

    package var counts: DeviceCounts {
        var counts = counted.withLock { $0 }
        counts.grants = known.withLock { $0.grants.count }
        return counts
    }

    func note(_ kind: DeviceEvent.Kind, _ fields: [(String, String)]) {
        counted.withLock { $0.events[DeviceEvent.Kind.allCases.firstIndex(of: kind)!] += 1 }
        doors.note(DeviceEvent(kind: kind, fields: fields))
    }

    func countPoll() { counted.withLock { $0.polls += 1 } }

    /// The store failed: said once until it works again.
    func failed(_ failure: DeviceStoreFailure) {
        let isNew = known.withLock { known in
            defer { known.isFailing = true }
            return !known.isFailing
        }
        if isNew { note(.failed, [("error", failure.message)]) }
    }

    // MARK: Grants

    /// Looks whether the grants have changed, or some are over.
    private func lookAround() {
        do throws(DeviceStoreFailure) {
            let revision = try store.revision()
            let now = doors.now()
            let (isNew, ended) = known.withLock { known in
                (known.revision != revision, known.grants.filter { $0.isOver(now) })
            }
            if isNew || !ended.isEmpty {
                try refresh()
                for grant in ended { note(.expired, [("alias", grant.name)]) }
                if !ended.isEmpty { try store.tidy(now: now) }
            }
            if store.isShared, now - Self.lookedSeconds < lookedAt.load(ordering: .relaxed) {
                let waiting = try store.waiting(now: now)
                known.withLock { $0.waiting = waiting }
            }
            known.withLock { $0.isFailing = false }
        } catch {
            failed(error)
        }
    }

    /// Reads the grants and has them hold.
    func refresh() throws(DeviceStoreFailure) {
        let now = doors.now()
        // Before they are read: what changes meanwhile is found as a change.
        let revision = try store.revision()
        let result: Result<Void, DeviceStoreFailure> = publishing.withLock { _ in
            do throws(DeviceStoreFailure) {
                let grants = try store.grants().filter { !$0.isOver(now) }
                let isSame = known.withLock { known in
                    defer { (known.revision, known.grants) = (revision, grants) }
                    return known.revision != nil && known.grants == grants
                }
                if !isSame { doors.publish(grants) }
                wasRead.store(true, ordering: .releasing)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// What waits, without a wait: with a shared store as it was a moment ago.
    package func proposals() -> [Proposal] {
        let now = doors.now()
        lookedAt.store(now, ordering: .relaxed)
        let codes = store.isShared ? known.withLock { $0.waiting } : (try? store.waiting(now: now)) ?? []
        let ceiling = doors.ceiling()
        // Most ask for the same.
        var grants: [[String]: GrantCeiling.Grant?] = [:]
        return codes.filter { $0.isWaiting(now) }.map { code in
            let grant: GrantCeiling.Grant?
            if let known = grants[code.asked] {
                grant = known
            } else {
                grant = try? ceiling.grant(asked: code.asked)
                grants[code.asked] = .some(grant)
            }
            return Proposal(code, grant, now)
        }
    }

    /// The grants that hold, as known here.
    var grants: [Grant] { known.withLock { $0.grants } }
}

/// The answer to an operator.
package struct OperatorAnswer: Sendable {
    /// Of HTTP.
    package var status: Int
    package var text: String

    package init(status: Int, text: String) {
        self.status = status
        self.text = text
    }
}
