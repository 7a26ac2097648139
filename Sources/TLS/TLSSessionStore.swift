internal import COpenSSL
internal import Synchronization

/// The sessions that can be resumed with one upstream, shared by all reactors.
///
/// TLS 1.3 tickets are best used once (RFC 8446 §C.4), so the newest is taken out, except for the last one: a server
/// that gives no ticket on a resumed connection is then still resumed, and what the recommendation protects, a client
/// that moves between networks, is not what a gateway is. A TLS 1.2 session is used again and again: it is always the only one.
///
/// A chain of resumptions would never look at a certificate again. So all sessions go at `certificateCheckSeconds`
/// after the first one came, and those that grew from them are not taken in.
package final class TLSSessionStore: Sendable {
    /// Enough for that many handshakes at the same time; some 2 KB each.
    package static let capacity = 64
    /// The longest time for which a server's certificate is taken as checked.
    package static let certificateCheckSeconds = 3_600

    private struct State {
        var sessions: [OpaquePointer] = []
        var generation = 0
        var filledAt = 0

        mutating func removeAll() {
            for session in sessions { SSL_SESSION_free(session) }
            sessions.removeAll(keepingCapacity: true)
        }
    }

    // Invariant: each pointer in `sessions` owns one reference. No connection uses what is in store: one that is taken
    // out leaves it, or is copied.
    private let state: Mutex<State>
    private let nowSeconds: @Sendable () -> Int

    init(nowSeconds: @escaping @Sendable () -> Int) {
        self.nowSeconds = nowSeconds
        var initial = State()
        initial.sessions.reserveCapacity(Self.capacity)
        state = Mutex(initial)
    }

    deinit {
        state.withLock { $0.removeAll() }
    }

    /// Number of sessions in store.
    package var count: Int { state.withLock { $0.sessions.count } }

    /// The newest session with a reference of its own, which the caller frees; and the store's generation.
    func take() -> OfferedSession {
        let now = nowSeconds()
        return state.withLock { state in
            if !state.sessions.isEmpty, now - state.filledAt >= Self.certificateCheckSeconds {
                state.removeAll()
                state.generation &+= 1
            }
            while let newest = state.sessions.last {
                guard SSL_SESSION_is_resumable(newest) == 1 else {
                    SSL_SESSION_free(newest)
                    state.sessions.removeLast()
                    continue
                }
                if state.sessions.count > 1 {
                    state.sessions.removeLast()
                    return OfferedSession(raw: newest, generation: state.generation)
                }
                // A copy: OpenSSL writes to a session that is in use, and marks it as used up.
                return OfferedSession(raw: SSL_SESSION_dup(newest), generation: state.generation)
            }
            return OfferedSession(raw: nil, generation: state.generation)
        }
    }

    /// Takes a session in, with the caller's reference. False: the caller keeps its reference.
    func put(_ session: OpaquePointer, resumed: Bool, generation: Int) -> Bool {
        let now = nowSeconds()
        let offered = OfferedSession(raw: session, generation: generation)
        return state.withLock { state in
            guard let session = offered.raw else { return false }
            if resumed, generation != state.generation { return false }
            if SSL_SESSION_is_resumable(session) != 1 { return false }
            if state.sessions.isEmpty, !resumed { state.filledAt = now }
            if SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION { state.removeAll() }
            if state.sessions.count == Self.capacity { SSL_SESSION_free(state.sessions.removeFirst()) }
            state.sessions.append(session)
            return true
        }
    }

    /// Takes back a session that no server has seen, with the caller's reference. False: the caller keeps its reference.
    func giveBack(_ session: OpaquePointer, generation: Int) -> Bool {
        let unused = OfferedSession(raw: session, generation: generation)
        return state.withLock { state in
            guard let session = unused.raw, unused.generation == state.generation,
                state.sessions.count < Self.capacity, SSL_SESSION_is_resumable(session) == 1,
                !state.sessions.contains(where: { Self.isSame($0, session) })
            else { return false }
            state.sessions.append(session)
            return true
        }
    }

    /// Drops what a session that the server did not take was copied from.
    func drop(_ session: OpaquePointer) {
        let refused = OfferedSession(raw: session, generation: 0)
        state.withLock { state in
            guard let session = refused.raw, let at = state.sessions.lastIndex(where: { Self.isSame($0, session) })
            else { return }
            SSL_SESSION_free(state.sessions.remove(at: at))
        }
    }

    /// The same ticket, or, from a server without tickets, the same session ID (RFC 5246 §7.4.1.3).
    private static func isSame(_ a: OpaquePointer, _ b: OpaquePointer) -> Bool {
        var aBytes: UnsafePointer<UInt8>?
        var bBytes: UnsafePointer<UInt8>?
        var aCount = 0
        var bCount = 0
        SSL_SESSION_get0_ticket(a, &aBytes, &aCount)
        SSL_SESSION_get0_ticket(b, &bBytes, &bCount)
        if aCount == 0, bCount == 0 {
            var idCount: CUnsignedInt = 0
            aBytes = SSL_SESSION_get_id(a, &idCount)
            aCount = Int(idCount)
            bBytes = SSL_SESSION_get_id(b, &idCount)
            bCount = Int(idCount)
        }
        // Both runs belong to sessions that the caller holds.
        return UnsafeBufferPointer(start: aBytes, count: aCount)
            .elementsEqual(UnsafeBufferPointer(start: bBytes, count: bCount))
    }
}

/// A session on its way over the lock's border, and the generation of the store at that time.
/// Whoever holds it is the only one who uses it.
struct OfferedSession: @unchecked Sendable {
    let raw: OpaquePointer?
    let generation: Int
}
