internal import Synchronization
internal import System

/// One address to connect to.
struct PostgresEndpoint: Sendable, Equatable {
    let host: ConnectionString.Host
    /// Numeric; nil for a socket's folder, or libpq's default.
    let address: String?

    /// For messages.
    var place: String {
        if host.isSocket {
            return host.name.isEmpty
                ? "libpq's default socket, port \(host.port)" : "socket \(host.name)/.s.PGSQL.\(host.port)"
        }
        let name = host.name.isEmpty ? address ?? "" : host.name
        let bracketed = name.contains(":") ? "[\(name)]" : name
        let shown = address.map { $0 == name ? "" : " (\($0))" } ?? ""
        return "\(bracketed):\(host.port)\(shown)"
    }
}

/// What is known about the way to a database: the address that answered last, and look-ups under way.
final class PostgresRoute: Sendable {
    /// Then the order of the connection string counts again, so that a host that is back is gone back to.
    static let memory: Duration = .seconds(3_600)

    let lookUps = HostLookUps()
    private let remembered = Mutex<(endpoint: PostgresEndpoint, until: Instant)?>(nil)

    func good(at now: Instant) -> PostgresEndpoint? {
        remembered.withLock { entry in
            if let found = entry, found.until <= now { entry = nil }
            return entry?.endpoint
        }
    }

    func remember(_ endpoint: PostgresEndpoint, at now: Instant) {
        remembered.withLock { entry in
            if let found = entry, found.endpoint == endpoint, found.until > now { return }
            entry = (endpoint, now + Self.memory)
        }
    }

    func forget() { remembered.withLock { $0 = nil } }
}
