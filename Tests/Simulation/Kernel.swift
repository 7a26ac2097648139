import CEpoll
import Glibc

/// What goes wrong in the kernel, each by how often in a thousand calls.
struct Weather {
    /// send(2) takes nothing, or only some, though there is room.
    var fullSends = 0
    var shortSends = 0
    /// socket(2) and accept(2) find no descriptor.
    var exhaustedDescriptors = 0
    /// epoll_ctl(2) finds no memory.
    var refusedWatches = 0
    /// A call takes milliseconds, so that iterations grow old.
    var slowCalls = 0
    /// epoll_wait(2) is interrupted by a signal.
    var interruptedWaits = 0
    /// Reports of epoll_wait(2) are cut short.
    var shortReports = 0
}

/// One socket, listener or eventfd.
final class Node {
    enum Kind { case socket, listener, counter }
    enum Link { case fresh, connecting, connected }

    let kind: Kind
    /// -1 for those of the others, who need none.
    var descriptor: CInt = -1
    var isClosed = false

    // What epoll knows of it.
    var isWatched = false
    var interest: UInt32 = 0
    var token: UInt64 = 0
    var isQueued = false
    var isEdgeTriggered: Bool { interest & CEPOLL_ET != 0 }

    // A socket.
    var link = Link.fresh
    var peer: Node?
    var inbox = Bytes()
    /// Sent with MSG_MORE, and not on its way yet.
    var corked = Bytes()
    /// Bytes that may wait for the peer.
    var capacity = 65_536
    var hasPeerEnded = false
    var hasShutWrite = false
    var hasShutRead = false
    var isReset = false
    /// The pending error, as errno.
    var error: CInt = 0
    /// A send found it full since it last had room.
    var wantsRoom = false
    var resetsOnClose = false
    /// One of the others hears here that something has changed for it.
    var news: (() -> Void)?
    /// Which address the proxy connects to.
    var address = -1

    // A listener.
    var queue: [(far: Node, peer: cepoll_peer)] = []
    var refusesNew = false

    // An eventfd.
    var count = 0

    init(_ kind: Kind) {
        self.kind = kind
    }

    /// What this socket has sent and its peer has not read.
    var outstanding: Int { (peer?.inbox.count ?? 0) + corked.count }
    var room: Int { max(0, capacity - outstanding) }

    /// What poll(2) would say.
    var readiness: UInt32 {
        switch kind {
        case .listener: return queue.isEmpty ? 0 : CEPOLL_IN
        case .counter: return count > 0 ? CEPOLL_IN : 0
        case .socket: break
        }
        switch link {
        case .connecting: return 0
        case .fresh where error == 0: return CEPOLL_OUT | CEPOLL_HUP
        case .fresh, .connected: break
        }
        var bits: UInt32 = 0
        if !inbox.isEmpty { bits |= CEPOLL_IN }
        if hasPeerEnded { bits |= CEPOLL_IN | CEPOLL_RDHUP }
        if hasPeerEnded, hasShutWrite { bits |= CEPOLL_HUP }
        if isReset || error != 0 { bits |= CEPOLL_IN | CEPOLL_OUT | CEPOLL_RDHUP | CEPOLL_HUP }
        if error != 0 { bits |= CEPOLL_ERR }
        // sock_writeable: a third of the buffer is free.
        if hasShutWrite || room * 3 >= capacity { bits |= CEPOLL_OUT }
        return bits
    }
}

/// Who lives in the world besides the proxy.
protocol World: AnyObject {
    /// The proxy connects one of its sockets to the upstream's address of this number.
    /// - Returns: what connect(2) returns.
    func connecting(_ node: Node, to address: Int) -> CInt
    /// An iteration of the proxy's loop is over.
    /// - Parameter sleeps: it has nothing left to do until something is reported.
    func iterationEnded(sleeps: Bool)
    /// Nothing will ever happen any more.
    func isStuck()
}

/// Virtual time, and sockets that do what sockets may do. One thread, no waiting.
final class Kernel {
    static let firstDescriptor: CInt = 1_000_000

    var random: Random
    var trace = Trace()
    var weather = Weather()
    weak var world: (any World)?
    /// Nanoseconds of the monotonic clock.
    private(set) var clock: UInt64
    /// How often each fault has struck, by its name.
    private(set) var faults: [String: Int] = [:]

    private var nodes: [Node?] = []
    private var ready: [Node] = []
    private var levelTriggered: [Node] = []
    private var isRunningEvents = false

    init(_ random: Random) {
        self.random = random
        clock = 1_000_000_000_000
    }

    // MARK: Time

    private struct Appointment {
        let time: UInt64
        let number: UInt64
        let body: () -> Void

        func precedes(_ other: Appointment) -> Bool { (time, number) < (other.time, other.number) }
    }

    /// A heap, the first appointment at its top.
    private var appointments: [Appointment] = []
    private var appointed: UInt64 = 0

    func after(_ nanoseconds: UInt64, _ body: @escaping () -> Void) {
        appointed += 1
        appointments.append(Appointment(time: clock + nanoseconds, number: appointed, body: body))
        var at = appointments.count - 1
        while at > 0, appointments[at].precedes(appointments[(at - 1) / 2]) {
            appointments.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    private func popAppointment() -> Appointment {
        let first = appointments[0]
        let last = appointments.removeLast()
        guard !appointments.isEmpty else { return first }
        appointments[0] = last
        var at = 0
        while true {
            var least = at
            for child in [2 * at + 1, 2 * at + 2]
            where child < appointments.count && appointments[child].precedes(appointments[least]) {
                least = child
            }
            if least == at { return first }
            appointments.swapAt(at, least)
            at = least
        }
    }

    private func keepAppointments() {
        guard !isRunningEvents else { return }
        isRunningEvents = true
        defer { isRunningEvents = false }
        while let next = appointments.first, next.time <= clock { popAppointment().body() }
    }

    /// Every call takes a little time, in which the others go on.
    private func call() {
        clock += UInt64(200 + random.below(800))
        if random.chance(weather.slowCalls) {
            struck("slow call")
            clock += milliseconds(random.within(1...3))
        }
        keepAppointments()
    }

    func struck(_ fault: String) {
        faults[fault, default: 0] += 1
    }

    private func noted(_ what: StaticString, _ number: CInt, _ result: Int) -> Int {
        trace.note(what, clock: clock, Int(number), result)
        return result
    }

    private func noted(_ what: StaticString, _ number: CInt, _ result: CInt) -> CInt {
        CInt(noted(what, number, Int(result)))
    }

    // MARK: Descriptors

    /// Descriptors of the proxy that are open.
    var openDescriptors: Int { nodes.count { $0 != nil } }
    var openSockets: Int { nodes.count { $0?.kind == .socket } }

    /// The lowest free number, as POSIX has it: a stale one meets its next holder.
    private func open(_ node: Node) -> CInt {
        let index = nodes.firstIndex { $0 == nil } ?? nodes.count
        if index == nodes.count { nodes.append(node) } else { nodes[index] = node }
        node.descriptor = Self.firstDescriptor + CInt(index)
        return node.descriptor
    }

    private func node(_ descriptor: CInt) -> Node? {
        let index = Int(descriptor - Self.firstDescriptor)
        return nodes.indices.contains(index) ? nodes[index] : nil
    }

    /// Whether somebody may have a descriptor now.
    private func hasDescriptor() -> Bool {
        guard random.chance(weather.exhaustedDescriptors) else { return true }
        struck("descriptors exhausted")
        return false
    }

    /// Whether something can be read from a watched socket, and no report of that is on its way.
    func isOverlooked(_ descriptor: CInt) -> Bool {
        guard let node = node(descriptor), node.isWatched, !node.isQueued else { return false }
        return !node.inbox.isEmpty && node.interest & CEPOLL_IN != 0
    }

    // MARK: epoll

    func create() -> CInt { 0 }

    func control(_ descriptor: CInt, _ events: UInt32, _ token: UInt64, isNew: Bool) -> CInt {
        call()
        guard let node = node(descriptor) else { return noted("epoll_ctl", descriptor, -EBADF) }
        guard node.isWatched != isNew else { return noted("epoll_ctl", descriptor, isNew ? -EEXIST : -ENOENT) }
        if isNew, node.kind == .socket, random.chance(weather.refusedWatches) {
            struck("watch refused")
            return noted("epoll_ctl", descriptor, -ENOMEM)
        }
        (node.isWatched, node.interest, node.token) = (true, events, token)
        if isNew, !node.isEdgeTriggered { levelTriggered.append(node) }
        wake(node, node.readiness)
        return noted("epoll_ctl", descriptor, 0)
    }

    func unwatch(_ descriptor: CInt) -> CInt {
        guard let node = node(descriptor), node.isWatched else { return -ENOENT }
        node.isWatched = false
        levelTriggered.removeAll { $0 === node }
        return noted("unwatch", descriptor, 0)
    }

    /// Something has changed: a watched node is reported with the next wait.
    private func wake(_ node: Node, _ bits: UInt32) {
        let wanted = node.interest | CEPOLL_ERR | CEPOLL_HUP
        guard node.isWatched, node.isEdgeTriggered, !node.isQueued, bits & wanted != 0 else { return }
        node.isQueued = true
        ready.append(node)
    }

    func wait(_ events: UnsafeMutablePointer<epoll_event>, _ capacity: Int, timeout: CInt) -> CInt {
        world?.iterationEnded(sleeps: timeout != 0)
        call()
        if random.chance(weather.interruptedWaits) {
            struck("interrupted wait")
            return noted("epoll_wait", timeout, -EINTR)
        }
        let deadline = timeout < 0 ? UInt64.max : clock + milliseconds(Int(timeout))
        while true {
            let count = report(events, capacity)
            if count > 0 || clock >= deadline { return noted("epoll_wait", timeout, CInt(count)) }
            guard let next = min(appointments.first?.time ?? .max, deadline) as UInt64?, next != .max else {
                world?.isStuck()
                continue
            }
            clock = max(clock, next)
            keepAppointments()
        }
    }

    private func report(_ events: UnsafeMutablePointer<epoll_event>, _ capacity: Int) -> Int {
        var found: [(UInt32, UInt64)] = []
        for node in levelTriggered where node.readiness & node.interest != 0 {
            found.append((node.readiness & node.interest, node.token))
        }
        let levels = found.count
        var most = min(capacity, ready.count)
        if most > 1, random.chance(weather.shortReports) { most = random.within(1...most) }
        for at in 0..<most { ready.swapAt(at, at + random.below(ready.count - at)) }
        for node in ready[..<most] {
            node.isQueued = false
            guard node.isWatched, !node.isClosed else { continue }
            let bits = node.readiness & (node.interest | CEPOLL_ERR | CEPOLL_HUP)
            if bits != 0 { found.append((bits, node.token)) }
        }
        ready.removeFirst(most)
        // A listener has no place of its own among the others.
        for at in 0..<levels { found.swapAt(at, random.below(found.count)) }
        let reported = found.prefix(capacity)
        for (at, each) in reported.enumerated() {
            events[at].events = each.0
            events[at].data.u64 = each.1
            trace.note(UInt64(each.0) ^ each.1)
        }
        return reported.count
    }

    // MARK: eventfd

    func counter() -> CInt { open(Node(.counter)) }

    func signal(_ descriptor: CInt) -> CInt {
        guard let node = node(descriptor) else { return -EBADF }
        node.count += 1
        return 0
    }

    func drain(_ descriptor: CInt) -> CInt {
        guard let node = node(descriptor), node.count > 0 else { return -EAGAIN }
        node.count = 0
        return 0
    }

    // MARK: The proxy's sockets

    func listen() -> CInt { open(Node(.listener)) }

    func refuseNew(_ descriptor: CInt) -> CInt {
        node(descriptor)?.refusesNew = true
        return 0
    }

    func accept(_ listener: CInt, _ peer: UnsafeMutablePointer<cepoll_peer>) -> CInt {
        call()
        guard let node = node(listener), node.kind == .listener else { return noted("accept", listener, -EBADF) }
        guard !node.queue.isEmpty else { return noted("accept", listener, -EAGAIN) }
        guard hasDescriptor() else { return noted("accept", listener, -EMFILE) }
        let waiting = node.queue.removeFirst()
        let near = waiting.far.peer!
        peer.pointee = waiting.peer
        return noted("accept", listener, open(near))
    }

    func socket() -> CInt {
        call()
        guard hasDescriptor() else { return noted("socket", 0, -EMFILE) }
        return noted("socket", 0, open(Node(.socket)))
    }

    func connect(_ descriptor: CInt, address: Int) -> CInt {
        call()
        guard let node = node(descriptor), let world else { return noted("connect", descriptor, -EBADF) }
        node.link = .connecting
        node.address = address
        return noted("connect", descriptor, world.connecting(node, to: address))
    }

    func receive(_ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer, peeks: Bool) -> Int {
        call()
        guard let node = node(descriptor), node.kind == .socket else { return noted("recv", descriptor, -Int(EBADF)) }
        guard node.inbox.isEmpty else {
            let count = node.inbox.copy(into: buffer)
            trace.note(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if !peeks {
                node.inbox.drop(count)
                node.peer?.news?()
            }
            return noted("recv", descriptor, count)
        }
        if node.error != 0 { return noted("recv", descriptor, -Int(takeError(node))) }
        if node.hasPeerEnded || node.isReset { return noted("recv", descriptor, 0) }
        if node.link == .fresh { return noted("recv", descriptor, -Int(ENOTCONN)) }
        return noted("recv", descriptor, -Int(EAGAIN))
    }

    private func takeError(_ node: Node) -> CInt {
        defer { node.error = 0 }
        return node.error
    }

    func send(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer, more: Bool) -> Int {
        call()
        guard let node = node(descriptor), node.kind == .socket else { return noted("send", descriptor, -Int(EBADF)) }
        if node.error != 0 { return noted("send", descriptor, -Int(takeError(node))) }
        guard !node.hasShutWrite, !node.isReset else { return noted("send", descriptor, -Int(EPIPE)) }
        switch node.link {
        case .fresh: return noted("send", descriptor, -Int(ENOTCONN))
        case .connecting: return noted("send", descriptor, -Int(EAGAIN))
        case .connected: break
        }
        var count = min(node.room, bytes.count)
        if count > 0, random.chance(weather.fullSends) {
            struck("full send")
            count = 0
        } else if count > 1, random.chance(weather.shortSends) {
            struck("short send")
            count = random.within(1...count - 1)
        }
        if count < bytes.count { waitForRoom(node) }
        guard count > 0 || bytes.isEmpty else { return noted("send", descriptor, -Int(EAGAIN)) }
        let taken = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        trace.note(taken)
        guard let peer = node.peer, !peer.isClosed else {
            // Nobody is there any more: a RST comes back.
            after(microseconds(random.below(2_000))) { [self] in reset(node) }
            return noted("send", descriptor, count)
        }
        node.corked.append(taken)
        // What is held back goes as soon as the buffer is full.
        if more, count == bytes.count, node.room > 0 {
            after(milliseconds(200)) { [self] in uncork(node) }
        } else {
            uncork(node)
        }
        return noted("send", descriptor, count)
    }

    private func waitForRoom(_ node: Node) {
        node.wantsRoom = true
        // Room that is there already is noticed some time later.
        after(microseconds(random.magnitude(20_000))) { [self] in roomMade(node) }
    }

    private func roomMade(_ node: Node) {
        guard node.wantsRoom, !node.isClosed, node.room * 3 >= node.capacity else { return }
        node.wantsRoom = false
        wake(node, CEPOLL_OUT)
    }

    private func uncork(_ node: Node) {
        guard !node.corked.isEmpty, let peer = node.peer, !node.isClosed else { return }
        peer.inbox.append(node.corked.take(.max))
        peer.news?()
    }

    func shutdownWrite(_ descriptor: CInt) -> CInt {
        call()
        guard let node = node(descriptor) else { return noted("shutdown", descriptor, -EBADF) }
        guard node.link == .connected else { return noted("shutdown", descriptor, -ENOTCONN) }
        uncork(node)
        node.hasShutWrite = true
        node.peer?.hasPeerEnded = true
        node.peer?.news?()
        return noted("shutdown", descriptor, 0)
    }

    func unacknowledged(_ descriptor: CInt) -> CInt {
        call()
        return noted("outq", descriptor, CInt(node(descriptor)?.outstanding ?? 0))
    }

    func resetOnClose(_ descriptor: CInt) -> CInt {
        node(descriptor)?.resetsOnClose = true
        return 0
    }

    func pendingError(_ descriptor: CInt) -> CInt {
        call()
        guard let node = node(descriptor) else { return noted("so_error", descriptor, -EBADF) }
        return noted("so_error", descriptor, -takeError(node))
    }

    /// - Returns: nil when the descriptor is none of the simulation's.
    func close(_ descriptor: CInt) -> CInt? {
        guard descriptor >= Self.firstDescriptor else { return descriptor == 0 ? 0 : nil }
        call()
        guard let node = node(descriptor) else { return noted("close", descriptor, -EBADF) }
        nodes[Int(descriptor - Self.firstDescriptor)] = nil
        node.isWatched = false
        levelTriggered.removeAll { $0 === node }
        if node.kind == .socket { hangUp(node, resets: node.resetsOnClose || !node.inbox.isEmpty) }
        for waiting in node.queue { reset(waiting.far) }
        node.queue = []
        node.isClosed = true
        node.descriptor = -1
        return noted("close", descriptor, 0)
    }

    /// One end is closed, by a FIN or a RST.
    private func hangUp(_ node: Node, resets: Bool) {
        defer { node.isClosed = true }
        guard let peer = node.peer, !peer.isClosed else { return }
        if resets {
            // A RST can overtake what was sent before it, and destroys what was not sent yet.
            node.corked.removeAll()
            reset(peer)
        } else {
            uncork(node)
            peer.hasPeerEnded = true
            wake(peer, CEPOLL_IN | CEPOLL_RDHUP)
            peer.news?()
        }
    }

    private func reset(_ node: Node) {
        guard !node.isClosed, !node.isReset else { return }
        node.isReset = true
        node.error = node.hasPeerEnded ? EPIPE : ECONNRESET
        if node.descriptor < 0, random.chance(500) { node.inbox.removeAll() }
        wake(node, node.readiness)
        node.news?()
    }

    // MARK: The others' sockets

    /// A connection between the proxy and one of the others.
    /// - Returns: the other's end.
    func pair(_ near: Node) -> Node {
        let far = Node(.socket)
        (near.peer, far.peer) = (far, near)
        (near.link, far.link) = (.connected, .connected)
        return far
    }

    /// The proxy's attempt to connect is over.
    /// - Parameter error: errno, or 0.
    func connected(_ near: Node, error: CInt) {
        guard !near.isClosed else { return }
        if error != 0 {
            near.link = .fresh
            near.error = error
        }
        wake(near, near.readiness)
    }

    /// One of the others connects to the proxy.
    /// - Returns: nil when nobody listens.
    func connect(to listener: CInt, from peer: cepoll_peer, held: Bool) -> Node? {
        guard let node = node(listener), !node.refusesNew else { return nil }
        let far = pair(Node(.socket))
        if !held { node.queue.append((far, peer)) }
        return far
    }

    /// A connection that was held back until its first bytes (TCP_DEFER_ACCEPT) gets into the queue.
    func enqueue(_ far: Node, from peer: cepoll_peer, to listener: CInt) {
        guard let node = node(listener), !far.isClosed else { return reset(far) }
        node.queue.append((far, peer))
    }

    /// - Returns: how many bytes were taken.
    func write(_ far: Node, _ bytes: ArraySlice<UInt8>) -> Int {
        guard !far.isClosed, !far.isReset, !far.hasShutWrite, let near = far.peer else { return bytes.count }
        guard !near.isClosed else {
            reset(far)
            return bytes.count
        }
        let count = min(far.room, bytes.count)
        guard count > 0 else { return 0 }
        near.inbox.append(bytes.prefix(count))
        wake(near, CEPOLL_IN)
        return count
    }

    func read(_ far: Node, _ most: Int) -> ArraySlice<UInt8> {
        let bytes = far.inbox.take(most)
        if !bytes.isEmpty, let near = far.peer { roomMade(near) }
        return bytes
    }

    func end(_ far: Node) {
        guard !far.isClosed, !far.hasShutWrite, !far.isReset else { return }
        far.hasShutWrite = true
        guard let near = far.peer, !near.isClosed else { return }
        near.hasPeerEnded = true
        wake(near, CEPOLL_IN | CEPOLL_RDHUP)
    }

    func close(_ far: Node, resets: Bool) {
        guard !far.isClosed else { return }
        hangUp(far, resets: !far.isReset && (resets || !far.inbox.isEmpty))
        far.news = nil
    }

    /// The run is over: whoever still has a descriptor may close it.
    func tearDown() {
        // What they hold may close descriptors when it goes, which asks for the kernel again.
        let appointed = appointments
        appointments = []
        withExtendedLifetime(appointed) {}
        let queued = ready
        ready = []
        withExtendedLifetime(queued) {}
        for node in nodes {
            node?.peer?.news = nil
            node?.peer?.peer = nil
            node?.peer = nil
        }
    }
}

/// The one that the proxy's system calls reach. Everything happens on one thread.
nonisolated(unsafe) var kernel = Kernel(Random(seed: 0))
