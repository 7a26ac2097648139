import TLS
import Testing

/// One handshake with an own server; the failure, or nil.
private func failure(
    _ certificate: String, name: TLSServerName = .dns(Certificates.name), caFile: String? = "ca.pem",
    verify: Bool = true
) throws -> TLSFailure? {
    let files = Certificates.shared
    let server = try TestServer(
        .init(certificateFile: files.path("\(certificate).pem"), keyFile: files.path("\(certificate).key")))
    let context = try TLSClientContext(.init(serverName: name, caFile: caFile.map(files.path), verify: verify))
    var session = BlockingSession(context, try TestSocket(connectingTo: server.port))
    do {
        try session.handshake()
        try session.write([1])
        let (bytes, end) = try session.readAll()
        #expect(bytes == Array("answer".utf8))
        #expect(end == .endOfStream)
        return nil
    } catch let failure as TLSFailure {
        return failure
    }
}

@Suite(.timeLimit(.minutes(2)))
struct CertificateTests {
    @Test func theServersCertificateSaysWhenItEnds() throws {
        let files = Certificates.shared
        let context = try TLSServerContext(
            .init(certificateFile: files.path("future.pem"), keyFile: files.path("future.key")))
        // 2099-12-31T00:00:00Z
        #expect(context.certificateEndSeconds == 4_102_358_400)
    }

    @Test func rightNameIsTaken() throws {
        #expect(try failure("good") == nil)
        #expect(try failure("good", name: .dns("UPSTREAM.test.")) == nil)
        #expect(try failure("wildcard", name: .dns("a.upstream.test")) == nil)
    }

    @Test func wrongNameIsRefused() throws {
        #expect(try failure("good", name: .dns("other.test")) == .wrongName)
        #expect(try failure("wildcard", name: .dns("a.b.upstream.test")) == .wrongName)
        #expect(try failure("good", name: .ip("127.0.0.1")) == .wrongName)
        #expect(try failure("address", name: .ip("127.0.0.2")) == .wrongName)
        #expect(try failure("address") == .wrongName)
    }

    @Test func addressIsChecked() throws {
        #expect(try failure("address", name: .ip("127.0.0.1")) == nil)
        #expect(try failure("address", name: .ip("::1")) == nil)
    }

    @Test func expiredAndFutureAreToldApart() throws {
        #expect(try failure("expired") == .expired)
        #expect(try failure("future") == .notYetValid)
    }

    @Test func unknownIssuersAreRefused() throws {
        #expect(try failure("self") == .untrusted)
        #expect(try failure("stranger") == .untrusted)
        #expect(try failure("good", caFile: "other-ca.pem") == .untrusted)
        // The system's own trust store knows none of the test's authorities.
        #expect(try failure("good", caFile: nil) == .untrusted)
    }

    @Test func namedSelfSignedCertificateIsTrusted() throws {
        #expect(try failure("self", caFile: "self.pem") == nil)
        #expect(try failure("good", caFile: "good.pem") == nil)
    }

    @Test func withoutVerificationAnythingIsTaken() throws {
        #expect(try failure("self", verify: false) == nil)
        #expect(try failure("expired", name: .dns("other.test"), verify: false) == nil)
    }
}

@Suite struct ConfigurationTests {
    private let files = Certificates.shared

    private func clientError(
        name: TLSServerName = .dns(Certificates.name), ca: String? = nil, certificate: String? = nil, key: String? = nil
    ) -> TLSConfigurationError? {
        do {
            _ = try TLSClientContext(
                .init(
                    serverName: name, caFile: (ca ?? "ca.pem").isEmpty ? nil : files.path(ca ?? "ca.pem"),
                    certificateFile: certificate.map(files.path), keyFile: key.map(files.path)
                )
            )
            return nil
        } catch { return error }
    }

    @Test func badFilesAreNamed() {
        #expect(
            clientError(ca: "missing.pem")
                == .init(setting: .caFile, path: files.path("missing.pem"), cause: .unreadable(2)))
        #expect(clientError(ca: "empty.pem")?.cause == .noCertificate)
        #expect(clientError(ca: "good.key")?.cause == .noCertificate)
        #expect(clientError(ca: "broken.pem")?.cause == .malformed)
        #expect(clientError(ca: ".")?.cause == .unreadable(21))
        #expect(clientError(certificate: "client.pem", key: "client.key") == nil)
        #expect(
            clientError(certificate: "client.pem", key: "good.key")
                == .init(setting: .clientKey, path: files.path("good.key"), cause: .keyMismatch))
        #expect(clientError(certificate: "client.pem")?.cause == .incompletePair)
        #expect(clientError(key: "client.key")?.cause == .incompletePair)
        #expect(clientError(certificate: "empty.pem", key: "client.key")?.cause == .noCertificate)
        #expect(clientError(certificate: "client.pem", key: "empty.pem")?.cause == .noKey)
        #expect(clientError(certificate: "client.pem", key: "client.pem")?.cause == .noKey)
        #expect(clientError(certificate: "good.pem", key: "encrypted.key")?.cause == .encryptedKey)
    }

    @Test func badNamesAreRefused() {
        for name in ["", ".", "a..b", "a b", "a/b", "a\0b", "*.test", String(repeating: "a", count: 64)] {
            #expect(clientError(name: .dns(name))?.cause == .badName, "\(name)")
        }
        for address in ["", "localhost", "1.2.3", "::g"] {
            #expect(clientError(name: .ip(address))?.cause == .badName, "\(address)")
        }
    }

    @Test func errorIsOneLineWithFlagAndFile() throws {
        let error = try #require(clientError(ca: "missing.pem"))
        #expect(
            error.description == "--ca-file \(files.path("missing.pem")): cannot be read: No such file or directory")
        for setting in TLSSetting.allCases {
            #expect(!TLSConfigurationError(setting: setting, path: nil, cause: .malformed).description.contains("\n"))
        }
    }

    @Test func serverFilesAreNamed() {
        func error(_ certificate: String, _ key: String, _ ca: String? = nil) -> TLSConfigurationError? {
            do {
                _ = try TLSServerContext(
                    .init(
                        certificateFile: files.path(certificate), keyFile: files.path(key),
                        clientCAFile: ca.map(files.path)))
                return nil
            } catch { return error }
        }
        #expect(error("good.pem", "good.key", "ca.pem") == nil)
        #expect(error("missing.pem", "good.key")?.setting == .serverCertificate)
        #expect(error("good.pem", "missing.key")?.setting == .serverKey)
        #expect(error("good.pem", "client.key")?.cause == .keyMismatch)
        #expect(error("good.pem", "good.key", "empty.pem")?.setting == .clientCA)
    }
}
