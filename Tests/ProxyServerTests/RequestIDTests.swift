import Testing

@testable import ProxyServer

@Suite struct RequestIDTests {
    /// The value of the algorithm's own test vectors for the message 00 01 … 07 and the key 00 01 … 0f.
    @Test func idsAreSipHash() {
        #expect(
            RequestIDs.sipHash24(0x0706_0504_0302_0100, 0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
                == 0x93f5_f579_9a93_2462)
    }

    @Test func idsDifferAndSoDoTheirDifferences() {
        var ids = RequestIDs(key0: 1, key1: 2)
        let drawn = (0..<1_000).map { _ in ids.next() }
        #expect(Set(drawn).count == 1_000)
        #expect(Set(zip(drawn, drawn.dropFirst()).map { $1 &- $0 }).count == 999)
    }
}
