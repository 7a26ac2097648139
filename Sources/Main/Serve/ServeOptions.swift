internal import AccessPolicy
internal import ArgumentParser
internal import HTTP1
internal import ProxyServer
internal import System

/// The flags of `serve`. Each has an environment variable; `ServePlan` turns both into what the server needs.
struct ServeOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOptions
    @Option(help: "Where to listen: addr:port, :port, [v6]:port or unix:PATH. [LISTEN; 0.0.0.0:8080]")
    var listen: String?
    @Option(
        help: "Where to serve health, metrics and status: addr:port, unix:PATH or off. [ADMIN_LISTEN; 127.0.0.1:9090]")
    var adminListen: String?
    @Option(help: "The upstream's base, with or without a path prefix. [SENTRY_URI; http://sentry-web:9000]")
    var sentryUri: String?
    @Option(help: "A Sentry token, or the word system; prefer a file or the environment. [SENTRY_TOKEN; system]")
    var token: String?
    @Option(help: "A file with the token; reread when it changes. [SENTRY_TOKEN_FILE]")
    var tokenFile: String?
    @Option(help: "PostgreSQL connection string for the system token. [PGX_CONN; libpq's PG* variables]")
    var pgxConn: String?
    @Option(help: "The folder of stored logins, or the word postgres. [STATE_DIR; $XDG_STATE_HOME/sentry-api-proxy]")
    var stateDir: String?
    @Option(
        help: "Aliases, separated by semicolons; if there are any, all other clients take the bypass. [ALIAS_TOKENS]")
    var aliasToken: String?
    @Option(help: "A file of aliases, one 'name alias rights' per line; reread when it changes. [ALIAS_FILE]")
    var aliasFile: String?
    @OptionGroup var rights: RightsOptions
    @Option(help: "Number of worker threads. [THREADS; the CPUs that this process may use]")
    var threads: String?
    @Option(help: "Connections that may wait to be accepted. [BACKLOG; 4096]")
    var backlog: String?
    @Option(help: "Bytes of a request head. [MAX_HEAD; 65536]")
    var maxHead: String?
    @Option(help: "Fields of a request head. [MAX_FIELDS; 96]")
    var maxFields: String?
    @Option(help: "Fields of an answer's head. [MAX_ANSWER_FIELDS; 200]")
    var maxAnswerFields: String?
    @Option(help: "Bytes of a request target. [MAX_TARGET; 16384]")
    var maxTarget: String?
    @Option(help: "Seconds from accept until the request's head is complete. [HEAD_TIMEOUT; 10]")
    var headTimeout: String?
    @Option(help: "Seconds without a byte of a body, in either direction. [BODY_TIMEOUT; 25]")
    var bodyTimeout: String?
    @Option(help: "Seconds until the upstream's answer begins. [RESPONSE_TIMEOUT; 25]")
    var responseTimeout: String?
    @Option(help: "Seconds to connect to the upstream, all addresses together. [CONNECT_TIMEOUT; 10]")
    var connectTimeout: String?
    @Option(help: "Bytes of a request body. [MAX_BODY; no limit]")
    var maxBody: String?
    @Option(help: "Requests in flight. [MAX_REQUESTS; what descriptors and memory allow]")
    var maxRequests: String?
    @Option(help: "Bytes of a request body that are kept for a second attempt. [REPLAY_BUFFER; 256KiB]")
    var replayBuffer: String?
    @OptionGroup var bodies: BodyOptions
    @OptionGroup var routes: RouteOptions
    @Option(help: "Seconds that requests in flight may take after SIGTERM. [DRAIN_TIMEOUT; 25]")
    var drainTimeout: String?
    @Option(help: "Seconds after SIGTERM before the listener closes; /readyz fails immediately. [DRAIN_DELAY; 0]")
    var drainDelay: String?
    @Option(
        help:
            "The proxy's own base as its clients know it, such as https://proxy.example:8443. [PUBLIC_URL; the request's Host]"
    )
    var publicUrl: String?
    @Option(help: "PEM file of the authorities that an https upstream is verified against. [CA_FILE; the system's]")
    var caFile: String?
    @Option(help: "PEM file of the certificate shown to an https upstream. [CLIENT_CERT]")
    var clientCert: String?
    @Option(help: "PEM file of its key. [CLIENT_KEY]")
    var clientKey: String?
    @Flag(help: "Accept any certificate of an https upstream: for tests only. [INSECURE_SKIP_VERIFY=true]")
    var insecureSkipVerify = false
    @Option(help: "PEM file of the certificate shown to clients; makes the listener https. [TLS_CERT]")
    var tlsCert: String?
    @Option(help: "PEM file of its key. [TLS_KEY]")
    var tlsKey: String?
    @Option(help: "PEM file of authorities; clients must present a certificate issued by one of them. [CLIENT_CA]")
    var clientCa: String?
    @OptionGroup var ready: ReadyOptions
    @OptionGroup var upstreamProxy: UpstreamProxyOptions
    @OptionGroup var watching: WatchOptions
    @OptionGroup var clientAddress: ClientAddressOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var security: SecurityOptions
    @Option(help: "Encoding to request from the upstream: identity or gzip. [UPSTREAM_ENCODING; identity]")
    var upstreamEncoding: String?
    @Option(help: "off, errors or all. [ACCESS_LOG; all]")
    var accessLog: String?
    @Option(help: "With --access-log all: log every Nth request that went well. [ACCESS_LOG_SAMPLE; 1]")
    var accessLogSample: String?
    @Option(help: "logfmt or json. [LOG_FORMAT; logfmt]")
    var logFormat: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical. [LOG_LEVEL; info]")
    var logLevel: String?
}
