import EventLoop
import Testing

@testable import ProxyServer

/// What a request in flight takes, times the requests in flight, is the memory of a proxy under load.
@Suite struct ExchangeSizeTests {
    /// Whoever adds a field to its parts finds out here what that makes.
    @Test func anExchangeStaysSmall() {
        let parts = [
            MemoryLayout<ConnectionSide>.stride, MemoryLayout<UpstreamConnection>.stride,
            MemoryLayout<RequestState>.stride, MemoryLayout<Replay>.stride, MemoryLayout<ResponseState>.stride,
            MemoryLayout<LocalResponse>.stride, MemoryLayout<ExchangeTimer>.stride, MemoryLayout<AccessRecord>.stride,
        ]
        #expect(parts.reduce(0, +) <= 1_728)
    }

    @Test func anOptionalBlockIsAsLargeAsABlock() {
        #expect(MemoryLayout<PooledBuffer?>.size == 16)
        #expect(MemoryLayout<PooledBuffer>.size == 16)
    }
}
