internal import EventLoop

/// The bytes of one connection, plain or through TLS.
struct Transport: ~Copyable {
    private var socket = Socket()

    init() {}

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    var isOpen: Bool { socket.isOpen }
    var descriptor: CInt { socket.descriptor }
    var pendingError: SystemError? { socket.pendingError }

    @inline(__always)
    mutating func receive(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        socket.receive(into: buffer)
    }

    @inline(__always)
    mutating func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> IOResult {
        socket.send(bytes, more: more)
    }

    mutating func shutdownWrite() {
        socket.shutdownWrite()
    }

    mutating func close() {
        socket.close()
    }

    mutating func reset() {
        socket.reset()
    }
}
