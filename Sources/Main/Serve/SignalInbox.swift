internal import Glibc
internal import Synchronization
internal import System

/// The process's signals, from before its settings are read until its end. A thread of its own reads them, so that one to
/// end is not kept waiting by a start that hangs, in a look-up of a name for example.
final class SignalInbox: Sendable {
    private let signals: Signals
    private let isServing = Atomic<Bool>(false)
    /// Signals that came, one byte each.
    private let reader: CInt
    private let writer: CInt

    /// To be called before there is any other thread.
    static func start() throws(Failure) -> SignalInbox {
        do throws(SystemError) {
            return try SignalInbox()
        } catch {
            throw Failure(.system, "signals: \(error.summary)")
        }
    }

    private init() throws(SystemError) {
        signals = try Signals()
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError(code: errno) }
        (reader, writer) = (ends[0], ends[1])
        try Thread(name: "signals") { [self] in
            while let signal = signals.next() { deliver(signal) }
        }.detach()
    }

    /// To be called before the first connection is accepted: from now on a signal to end waits for `next`, since there may
    /// be something to finish.
    func beginServing() {
        isServing.store(true, ordering: .releasing)
    }

    /// Waits for the next signal; one that came since the start comes first.
    func next() -> Signals.Signal? {
        var byte: UInt8 = 0
        var count = read(reader, &byte, 1)
        while count < 0, errno == EINTR { count = read(reader, &byte, 1) }
        guard count == 1 else { return nil }
        switch byte {
        case UInt8(ascii: "T"): return .terminate
        case UInt8(ascii: "I"): return .interrupt
        default: return .hangUp
        }
    }

    private func deliver(_ signal: Signals.Signal) {
        var byte =
            switch signal {
            case .terminate: UInt8(ascii: "T")
            case .interrupt: UInt8(ascii: "I")
            case .hangUp: UInt8(ascii: "H")
            }
        // Nothing is being served, so there is nothing to finish.
        if signal != .hangUp, !isServing.load(ordering: .acquiring) { _exit(0) }
        _ = write(writer, &byte, 1)
    }
}
