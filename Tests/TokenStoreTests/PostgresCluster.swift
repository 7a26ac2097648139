import Foundation
import System
import Testing

@testable import TokenStore

/// A private PostgreSQL with a PgBouncer in transaction mode before it, in a folder of its own.
///
/// PostgreSQL refuses to run as root: started by root, both run as the user `postgres`.
final class PostgresCluster: Sendable {
    /// The newest of the servers that are installed: Debian and Ubuntu have a folder for each major version.
    static let binaries: String = {
        let root = "/usr/lib/postgresql/"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return root + String(versions.compactMap { Int($0) }.max() ?? 0) + "/bin/"
    }()
    static let bouncerBinary = "/usr/sbin/pgbouncer"
    static let password = "pa'ss w\\ord"

    static var isInstalled: Bool {
        let files = FileManager.default
        return files.isExecutableFile(atPath: binaries + "postgres") && files.isExecutableFile(atPath: bouncerBinary)
            && (getuid() != 0 || getpwnam("postgres") != nil)
    }

    @TaskLocal static var current: PostgresCluster?

    let folder = TemporaryFolder()
    let port: UInt16
    let bouncerPort: UInt16

    init() throws {
        port = try freePort()
        bouncerPort = try freePort()
        if getuid() == 0, let user = getpwnam("postgres") {
            chown(folder.path, user.pointee.pw_uid, user.pointee.pw_gid)
        }
        folder.write(Self.password, to: "password")
        chmod(folder.file("password"), 0o644)
        let initdb = try launch(
            Self.binaries + "initdb",
            [
                "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", folder.file("password"), "-N", "-E",
                "UTF8",
                "--locale=C",
            ])
        initdb.waitUntilExit()
        guard initdb.terminationStatus == 0 else { throw ClusterError.initdb }
    }

    enum ClusterError: Error { case initdb, start, port }

    var data: String { folder.file("data") }

    /// A connection string for the server's socket, with more parameters at its end.
    func string(
        host: String? = nil, port: UInt16? = nil, user: String = "postgres", password: String = password,
        _ more: String = ""
    ) throws -> ConnectionString {
        let quoted = password.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "'", with: "\\'")
        return try ConnectionString(
            "host=\(host ?? folder.path) port=\(port ?? self.port) user=\(user) password='\(quoted)' dbname=postgres \(more)"
        )
    }

    /// Runs SQL as the superuser.
    @discardableResult
    func sql(_ text: String) throws -> String? {
        try PostgresQuery(try string(), deadline: deadline(seconds: 10)).firstValue(text)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    func start() async throws {
        _ = try launch(
            Self.binaries + "postgres",
            [
                "-D", data, "-p", "\(port)", "-k", folder.path, "-h", "127.0.0.1", "-F", "-c", "shared_buffers=4MB",
                "-c", "max_connections=20", "-c", "logging_collector=off",
            ])
        guard await eventually({ (try? sql("SELECT 1")) == "1" }) else { throw ClusterError.start }
    }

    /// Fast shutdown, and waits for its end.
    func stop() async {
        guard let pid = pid(in: "data/postmaster.pid") else { return }
        kill(pid, SIGINT)
        _ = await eventually { kill(pid, 0) != 0 }
    }

    func startBouncer() async throws {
        folder.write("\"postgres\" \"\"\n", to: "users")
        folder.write(
            """
            [databases]
            postgres = host=\(folder.path) port=\(port) user=postgres password='\(Self.password.replacingOccurrences(of: "'", with: "''"))'
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(bouncerPort)
            unix_socket_dir = \(folder.path)
            auth_type = trust
            auth_file = \(folder.file("users"))
            pool_mode = transaction
            default_pool_size = 1
            server_login_retry = 1
            pidfile = \(folder.file("bouncer.pid"))
            logfile = \(folder.file("bouncer.log"))
            """, to: "bouncer.ini")
        for name in ["users", "bouncer.ini"] { chmod(folder.file(name), 0o644) }
        _ = try launch(Self.bouncerBinary, ["-q", folder.file("bouncer.ini")])
        let probe = try string(port: bouncerPort)
        let isUp = await eventually {
            (try? PostgresQuery(probe, deadline: deadline(seconds: 2)).firstValue("SELECT 1")) != nil
        }
        guard isUp else { throw ClusterError.start }
    }

    func stopBouncer() async {
        guard let pid = pid(in: "bouncer.pid") else { return }
        kill(pid, SIGTERM)
        _ = await eventually { kill(pid, 0) != 0 }
    }

    /// Runs a program as a user that PostgreSQL accepts.
    func launch(_ program: String, _ arguments: [String]) throws -> Process {
        let process = Process()
        let asRoot = getuid() == 0
        process.executableURL = URL(fileURLWithPath: asRoot ? "/usr/sbin/runuser" : program)
        process.arguments = asRoot ? ["-u", "postgres", "--", program] + arguments : arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        // Pool threads block most signals and a child inherits that; it would never be ended by one.
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
        return process
    }

    private func pid(in file: String) -> pid_t? {
        guard let text = try? String(contentsOfFile: folder.file(file), encoding: .utf8) else { return nil }
        return text.split(separator: "\n").first.flatMap { pid_t($0) }
    }
}

func deadline(seconds: UInt64) -> Instant {
    Clock.now + .seconds(seconds)
}

/// A socket of the loopback on a port of its own, listening until it goes.
final class Listener {
    let port: UInt16
    private let descriptor: CInt

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw PostgresCluster.ClusterError.port }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard status else { throw PostgresCluster.ClusterError.port }
    }

    deinit { close(descriptor) }
}

/// A port of the loopback that nobody listens on just now.
func freePort() throws -> UInt16 { try Listener().port }

/// One cluster for a whole suite; both servers are ended with it, by their process ids.
struct PostgresTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard PostgresCluster.isInstalled else { return try await function() }
        let cluster = try PostgresCluster()
        let result: Result<Void, any Error>
        do {
            try await cluster.start()
            try await cluster.startBouncer()
            try await PostgresCluster.$current.withValue(cluster) { try await function() }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await cluster.stopBouncer()
        await cluster.stop()
        try result.get()
    }
}
