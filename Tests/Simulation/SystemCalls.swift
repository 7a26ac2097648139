// The functions of CEpoll/cepoll.c, which a simulation leaves out: what a worker asks of the kernel is asked of `kernel`.

import CEpoll
import Glibc

@_cdecl("cepoll_create") func simulatedCreate() -> CInt { kernel.create() }

@_cdecl("cepoll_add") func simulatedAdd(_ epoll: CInt, _ fd: CInt, _ events: UInt32, _ token: UInt64) -> CInt {
    kernel.control(fd, events, token, isNew: true)
}

@_cdecl("cepoll_modify") func simulatedModify(_ epoll: CInt, _ fd: CInt, _ events: UInt32, _ token: UInt64) -> CInt {
    kernel.control(fd, events, token, isNew: false)
}

@_cdecl("cepoll_remove") func simulatedRemove(_ epoll: CInt, _ fd: CInt) -> CInt { kernel.unwatch(fd) }

@_cdecl("cepoll_wait") func simulatedWait(
    _ epoll: CInt, _ events: UnsafeMutablePointer<epoll_event>, _ capacity: CInt, _ timeout: CInt
) -> CInt {
    kernel.wait(events, Int(capacity), timeout: timeout)
}

@_cdecl("cepoll_eventfd") func simulatedCounter() -> CInt { kernel.counter() }
@_cdecl("cepoll_eventfd_signal") func simulatedSignal(_ fd: CInt) -> CInt { kernel.signal(fd) }
@_cdecl("cepoll_eventfd_drain") func simulatedDrain(_ fd: CInt) -> CInt { kernel.drain(fd) }

@_cdecl("cepoll_listen_inet") func simulatedListen(
    _ address: UnsafePointer<sockaddr>, _ length: socklen_t, _ backlog: CInt, _ defer: CInt, _ share: CInt
) -> CInt {
    kernel.listen()
}

@_cdecl("cepoll_listen_unix") func simulatedListenUnix(_ path: UnsafePointer<CChar>, _ backlog: CInt, _ mode: CInt)
    -> CInt
{
    kernel.listen()
}

@_cdecl("cepoll_set_nonblocking") func simulatedSetNonblocking(_ fd: CInt) -> CInt { 0 }

@_cdecl("cepoll_accept") func simulatedAccept(_ listener: CInt, _ peer: UnsafeMutablePointer<cepoll_peer>) -> CInt {
    kernel.accept(listener, peer)
}

@_cdecl("cepoll_peek") func simulatedPeek(_ fd: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    kernel.receive(fd, UnsafeMutableRawBufferPointer(start: buffer, count: count), peeks: true)
}

@_cdecl("cepoll_is_listening") func simulatedIsListening(_ fd: CInt) -> CInt { 1 }
@_cdecl("cepoll_refuse_syns") func simulatedRefuseSYNs(_ fd: CInt) -> CInt { kernel.refuseNew(fd) }
@_cdecl("cepoll_shutdown_read") func simulatedShutdownRead(_ fd: CInt) -> CInt { kernel.refuseNew(fd) }
@_cdecl("cepoll_local_port") func simulatedLocalPort(_ fd: CInt) -> CInt { 8_080 }
@_cdecl("cepoll_family") func simulatedFamily(_ fd: CInt) -> CInt { AF_INET }
@_cdecl("cepoll_socket") func simulatedSocket(_ family: CInt) -> CInt { kernel.socket() }

@_cdecl("cepoll_connect") func simulatedConnect(_ fd: CInt, _ address: UnsafePointer<sockaddr>, _ length: socklen_t)
    -> CInt
{
    // The upstream's addresses are 10.0.0.n; n is their number.
    let inet = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
    return kernel.connect(fd, address: Int(UInt32(bigEndian: inet.sin_addr.s_addr) & 0xff))
}

@_cdecl("cepoll_recv") func simulatedReceive(_ fd: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    kernel.receive(fd, UnsafeMutableRawBufferPointer(start: buffer, count: count), peeks: false)
}

@_cdecl("cepoll_send") func simulatedSend(_ fd: CInt, _ bytes: UnsafeRawPointer?, _ count: Int, _ more: CInt) -> Int {
    kernel.send(fd, UnsafeRawBufferPointer(start: bytes, count: count), more: more != 0)
}

@_cdecl("cepoll_shutdown_write") func simulatedShutdownWrite(_ fd: CInt) -> CInt { kernel.shutdownWrite(fd) }
@_cdecl("cepoll_unacknowledged") func simulatedUnacknowledged(_ fd: CInt) -> CInt { kernel.unacknowledged(fd) }
@_cdecl("cepoll_close") func simulatedClose(_ fd: CInt) -> CInt { kernel.close(fd) ?? Glibc.close(fd) }
@_cdecl("cepoll_reset_on_close") func simulatedResetOnClose(_ fd: CInt) -> CInt { kernel.resetOnClose(fd) }
@_cdecl("cepoll_no_delay") func simulatedNoDelay(_ fd: CInt) -> CInt { 0 }
@_cdecl("cepoll_socket_error") func simulatedSocketError(_ fd: CInt) -> CInt { kernel.pendingError(fd) }
@_cdecl("cepoll_monotonic_ns") func simulatedMonotonic() -> UInt64 { kernel.clock }

@_cdecl("cepoll_realtime_ns") func simulatedRealtime() -> UInt64 { 1_800_000_000_000_000_000 + kernel.clock }

@_cdecl("cepoll_random") func simulatedRandom(_ buffer: UnsafeMutableRawPointer, _ count: Int) -> CInt {
    for at in 0..<count {
        buffer.storeBytes(of: UInt8(truncatingIfNeeded: kernel.random.next()), toByteOffset: at, as: UInt8.self)
    }
    return 0
}
