import Testing

@testable import ProxyServer

@Suite struct SpeaksTLSTests {
    @Test(
        arguments: [
            ([], false), ([0x15], true), ([0x15, 0x03], true), ([0x15, 0x03, 0x03], true), ([0x15, 0x04], false),
            ([0x16, 0x03], false), ([0x48], false), ([0x48, 0x03], false),
        ] as [([UInt8], Bool)])
    func anAlertIsKnownByItsFirstTwoBytes(_ bytes: [UInt8], _ isAlert: Bool) {
        let isTaken = isTLSAlert(bytes.span)
        #expect(isTaken == isAlert)
    }

    @Test(arguments: [
        ("The plain HTTP request was sent to HTTPS port", true),
        ("<h1>Client sent an HTTP request to an HTTPS server.", true),
        ("You're speaking plain HTTP to an SSL-enabled server port.", true), ("", false),
        ("the plain http request", false),
        ("This field is required.", false),
    ])
    func a400ThatAsksForHTTPSIsKnownByItsSentence(_ body: String, _ asks: Bool) {
        let bytes = Array(("HTTP/1.1 400 Bad Request\r\n\r\n" + body).utf8)
        let isTaken = asksForTLS(bytes.span, from: 28)
        #expect(isTaken == asks)
    }
}
