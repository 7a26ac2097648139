import Foundation

/// Certificates made by the `openssl` command for one test run, in a folder of their own.
struct Certificates {
    static let shared = Certificates()

    /// The name that the good certificates carry.
    static let name = "upstream.test"

    let folder: String

    func path(_ file: String) -> String { "\(folder)/\(file)" }

    private init() {
        var template = Array("\(NSTemporaryDirectory())/tls-tests-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { fatalError("mkdtemp: errno \(errno)") }
        folder = String(cString: made)
        Self.folderToRemove = folder
        atexit { try? FileManager.default.removeItem(atPath: Certificates.folderToRemove) }

        authority("ca")
        authority("other-ca")
        leaf("good", names: "DNS:\(Self.name)")
        leaf("wildcard", names: "DNS:*.\(Self.name)")
        leaf("address", names: "IP:127.0.0.1,IP:::1")
        leaf("expired", names: "DNS:\(Self.name)", days: -1)
        leaf("stranger", names: "DNS:\(Self.name)", authority: "other-ca")
        leaf("client", names: "DNS:client.test")
        run(
            "req", "-x509", "-days", "2", "-subj", "/CN=self", "-addext", "subjectAltName=DNS:\(Self.name)",
            output: "self")
        future()
        run("pkey", "-in", path("good.key"), "-aes128", "-passout", "pass:secret", "-out", path("encrypted.key"))
        write("empty.pem", "no certificate in here\n")
        write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    }

    // Written once, before the handler that reads it is registered.
    nonisolated(unsafe) private static var folderToRemove = ""

    private func write(_ file: String, _ text: String) {
        guard FileManager.default.createFile(atPath: path(file), contents: Data(text.utf8)) else {
            fatalError("cannot write \(file)")
        }
    }

    private func authority(_ name: String) {
        run("req", "-x509", "-days", "2", "-subj", "/CN=\(name)", output: name)
    }

    private func leaf(_ name: String, names: String, days: Int = 2, authority: String = "ca") {
        request(name, names)
        run(
            "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(authority).pem"), "-CAkey",
            path("\(authority).key"),
            "-days", "\(days)", "-copy_extensions", "copy", "-out", path("\(name).pem")
        )
    }

    private func request(_ name: String, _ names: String) {
        run(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)",
            "-addext", "subjectAltName=\(names)", "-keyout", path("\(name).key"), "-out", path("\(name).csr")
        )
    }

    /// Only `openssl ca` takes a first day in the future.
    private func future() {
        request("future", "DNS:\(Self.name)")
        write("index.txt", "")
        write("serial", "01\n")
        write(
            "ca.cnf",
            """
            [ca]
            default_ca = test
            [test]
            database = \(path("index.txt"))
            serial = \(path("serial"))
            new_certs_dir = \(folder)
            default_md = sha256
            policy = any
            copy_extensions = copy
            [any]
            commonName = supplied
            """
        )
        run(
            "ca", "-batch", "-notext", "-config", path("ca.cnf"), "-cert", path("ca.pem"), "-keyfile", path("ca.key"),
            "-startdate", "20990101000000Z", "-enddate", "20991231000000Z", "-in", path("future.csr"), "-out",
            path("future.pem")
        )
    }

    private func run(_ arguments: String..., output: String? = nil) {
        var all = arguments
        if let output {
            all += [
                "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path("\(output).key"),
                "-out",
                path("\(output).pem"),
            ]
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = all
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        do { try process.run() } catch { fatalError("openssl: \(error)") }
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            fatalError("openssl \(all.joined(separator: " ")): \(String(decoding: said, as: UTF8.self))")
        }
    }
}
