package import System

/// What one read or write came to. A socket that would block is an answer, not an error.
package enum IOResult: Sendable, Equatable {
    case bytes(Int)
    case wouldBlock
    case endOfStream
    case failed(SystemError)

    /// The shim's result of recv(2): 0 is the end of the stream.
    @inline(__always)
    init(received result: Int) {
        if result > 0 {
            self = .bytes(result)
        } else if result == 0 {
            self = .endOfStream
        } else {
            self.init(errno: -result)
        }
    }

    /// The shim's result of send(2).
    @inline(__always)
    init(sent result: Int) {
        if result >= 0 {
            self = .bytes(result)
        } else {
            self.init(errno: -result)
        }
    }

    private init(errno: Int) {
        let error = SystemError(code: CInt(truncatingIfNeeded: errno))
        self = error == .again ? .wouldBlock : .failed(error)
    }
}
