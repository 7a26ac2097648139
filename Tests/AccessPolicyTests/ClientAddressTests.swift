import AccessPolicy
import HTTP1
import Testing

private func address(_ text: String) -> IPAddress? { IPAddress(text.utf8.span) }

private func written(_ body: (inout HeadWriter) -> Void) -> String {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    defer { memory.deallocate() }
    var writer = HeadWriter(memory)
    body(&writer)
    return String(decoding: memory[..<writer.count], as: UTF8.self)
}

private func text(_ client: ClientAddress?) -> String? {
    client.map { client in written { client.write(into: &$0) } }
}

@Suite struct IPAddressTests {
    /// RFC 4291 §2.2 and RFC 5952 §4: what is read, and the one form that is written.
    private let forms = [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ]

    @Test func everyFormIsReadAndWrittenInOne() throws {
        for (given, expected) in forms {
            let read = try #require(address(given), "\(given)")
            let text = written { read.write(into: &$0) }
            #expect(text == expected)
        }
    }

    @Test func whatIsNoAddressIsRefused() {
        for wrong in [
            "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1.2.3.", ":", ":::", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::2::3", "12345::", "g::", "::1%eth0", "1:2:3:4:5:6:7:8::", "1:", ":1", "::1.2.3",
            "1:2:3:4:5:6:7:1.2.3.4", "unknown", "_hidden",
        ] {
            #expect(address(wrong) == nil, "\(wrong)")
        }
    }
}

@Suite struct TrustedProxiesTests {
    private func trusted(_ items: String...) throws -> TrustedProxies {
        var proxies = TrustedProxies()
        for item in items {
            let isAdded = proxies.add(item)
            try #require(isAdded, "\(item)")
        }
        return proxies
    }

    private func client(_ peer: String, _ fields: [(String, String)], _ proxies: TrustedProxies) throws -> String? {
        let head = "GET / HTTP/1.1\r\nHost: h\r\n" + fields.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
        let bytes = Array(head.utf8)
        let parser = RequestHeadParser()
        let isWhole = try parser.parse(bytes.span)
        try #require(isWhole)
        let peer = peer == "unix" ? ClientAddress() : ClientAddress(ip: address(peer), port: 1)
        return text(proxies.client(behind: peer, parser.head.fields, bytes.span))
    }

    @Test func networksHoldTheirAddressesAndNoOthers() throws {
        let proxies = try trusted("10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "::1/128", "0.0.0.0/32")
        let inside = [
            "10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8:7fff::", "::1", "::ffff:10.1.2.3", "0.0.0.0",
        ]
        let outside = ["9.255.255.255", "11.0.0.0", "192.0.2.8", "2001:db8:8000::", "::2", "::10.1.2.3", "0.0.0.1"]
        for ip in inside { #expect(proxies.contains(ClientAddress(ip: address(ip))), "\(ip)") }
        for ip in outside { #expect(!proxies.contains(ClientAddress(ip: address(ip))), "\(ip)") }
        #expect(!proxies.contains(ClientAddress()))
        #expect(try trusted("unix").contains(ClientAddress()))
        #expect(try trusted("0.0.0.0/0").contains(ClientAddress(ip: address("203.0.113.1"))))
        #expect(try !trusted("0.0.0.0/0").contains(ClientAddress(ip: address("2001:db8::1"))))
        #expect(try trusted("::/0").contains(ClientAddress(ip: address("203.0.113.1"))))
    }

    @Test func whatIsNoNetworkIsRefused() {
        var proxies = TrustedProxies()
        for wrong in [
            "", "all", "10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/08", "::1/64",
            "/8",
        ] {
            let isAdded = proxies.add(wrong)
            #expect(!isAdded, "\(wrong)")
        }
        #expect(proxies.isEmpty)
    }

    @Test func theFirstAddressFromTheEndThatIsNoTrustedProxyIsTheClient() throws {
        let proxies = try trusted("10.0.0.0/8", "::1")
        let rows: [(peer: String, fields: [(String, String)], client: String)] = [
            ("10.0.0.1", [], "10.0.0.1:1"),
            ("10.0.0.1", [("X-Forwarded-For", "203.0.113.5")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "203.0.113.5:4711")], "203.0.113.5:4711"),
            ("10.0.0.1", [("x-forwarded-for", "[2001:db8::5]:4711")], "[2001:db8::5]:4711"),
            ("10.0.0.1", [("X-Forwarded-For", "[2001:db8::5]")], "2001:db8::5"),
            // What the client wrote itself comes first, and counts for nothing.
            ("10.0.0.1", [("X-Forwarded-For", "198.51.100.9, 203.0.113.5")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "198.51.100.9,\t203.0.113.5 ,10.0.0.2, ::1")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "198.51.100.9"), ("X-Forwarded-For", "203.0.113.5")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "203.0.113.5"), ("X-Forwarded-For", "10.9.9.9")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", [("X-Forwarded-For", ",, 203.0.113.5,,")], "203.0.113.5"),
            // Words end what is known.
            ("10.0.0.1", [("X-Forwarded-For", "203.0.113.5, unknown, 10.0.0.2")], "10.0.0.2"),
            ("10.0.0.1", [("X-Forwarded-For", "203.0.113.5:99999")], "10.0.0.1:1"),
            // Another spelling is one that no balancer knows for its own.
            ("10.0.0.1", [("X-Forwarded-For", "203.0.113.5"), ("X_Forwarded_For", "198.51.100.9")], "203.0.113.5"),
            // Not from a trusted proxy at all.
            ("203.0.113.7", [("X-Forwarded-For", "198.51.100.9")], "203.0.113.7:1"),
            ("unix", [("X-Forwarded-For", "198.51.100.9")], "unix"),
        ]
        for row in rows {
            #expect(try client(row.peer, row.fields, proxies) == row.client, "\(row)")
        }
    }
}

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]

    private static func binary(_ command: UInt8, _ family: UInt8, _ addresses: [UInt8], tail: Int = 0) -> [UInt8] {
        let body = addresses + [UInt8](repeating: 4, count: tail)
        return signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
    }

    private static let v4: [UInt8] = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x67, 0x01, 0xbb]
    private static let v6 =
        [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 1, count: 16)
        + v4.suffix(4)

    /// The header, and the client that it says; "" for one that says none.
    private static let whole: [([UInt8], String)] = [
        (Array("PROXY TCP4 192.0.2.1 10.0.0.1 4711 443\r\n".utf8), "192.0.2.1:4711"),
        (Array("PROXY TCP6 2001:db8::7 ::1 65535 0\r\n".utf8), "[2001:db8::7]:65535"),
        (
            Array(
                "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"
                    .utf8), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"
        ),
        (Array("PROXY UNKNOWN\r\n".utf8), ""),
        (Array("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".utf8), ""),
        (binary(0x21, 0x11, v4), "192.0.2.1:4711"),
        (binary(0x21, 0x11, v4, tail: 90), "192.0.2.1:4711"),
        (binary(0x21, 0x21, v6), "[2001:db8::7]:4711"),
        (binary(0x20, 0x00, []), ""),
        (binary(0x20, 0x11, v4), ""),
        (binary(0x21, 0x00, []), ""),
        (binary(0x21, 0x31, [UInt8](repeating: 65, count: 216)), ""),
        (binary(0x21, 0x12, v4), ""),
    ]

    private static let malformed: [[UInt8]] =
        [
            "GET / HTTP/1.1\r\n", "PROXY TCP5 192.0.2.1 10.0.0.1 1 2\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n",
            "PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 65536 2\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY\r\n", "PROXY \r\n",
            "POST / HTTP/1.1\r\n",
            "PROXY UNKNOWN " + String(repeating: "x", count: 100) + "\r\n",
        ].map { Array($0.utf8) } + [
            signature.dropLast() + [0x0d], binary(0x31, 0x11, v4), binary(0x22, 0x11, v4), binary(0x21, 0x41, v4),
            binary(0x21, 0x11, Array(v4.dropLast())),
            binary(0x21, 0x21, v4), binary(0x21, 0x11, v4, tail: ProxyHeader.mostBytes), [0x16, 3, 1],
        ]

    @Test func aWholeHeaderSaysTheClientAndItsLengthWhateverFollows() {
        for (bytes, client) in Self.whole {
            for behind in ["", "GET / HTTP/1.1\r\n\r\n"] {
                guard case .whole(let count, let said) = ProxyHeader((bytes + Array(behind.utf8)).span) else {
                    Issue.record("\(bytes)")
                    continue
                }
                #expect(count == bytes.count)
                #expect(text(said) ?? "" == client)
            }
        }
    }

    /// "107 bytes are enough to store all the line", says the protocol, the CRLF at its end included.
    @Test func aLineIsNotLongerThanItMayBe() {
        func line(_ count: Int) -> [UInt8] {
            Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: count - 16) + [0x0d, 0x0a]
        }
        let longest = line(107)
        #expect(ProxyHeader(longest.span) == .whole(count: 107, client: nil))
        #expect(ProxyHeader(longest.span.extracting(first: 106)) == .partial)
        #expect(ProxyHeader(line(108).span) == .malformed)
        #expect(ProxyHeader(line(108).span.extracting(first: 107)) == .malformed)
    }

    @Test func everySplitOfAWholeHeaderIsPartial() {
        for (bytes, _) in Self.whole {
            for count in bytes.indices {
                #expect(ProxyHeader(bytes.span.extracting(first: count)) == .partial, "\(count) of \(bytes)")
            }
        }
    }

    @Test func whatIsNoHeaderIsMalformedAtEverySplitOrPartial() {
        for bytes in Self.malformed {
            var verdicts = (1...bytes.count).map { ProxyHeader(bytes.span.extracting(first: $0)) }
            #expect(verdicts.last == .malformed, "\(bytes)")
            // Once malformed, always malformed; and before that only partial.
            while verdicts.last == .malformed { verdicts.removeLast() }
            #expect(verdicts.allSatisfy { $0 == .partial }, "\(bytes)")
        }
    }
}
