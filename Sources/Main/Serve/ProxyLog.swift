internal import Logging
internal import ProxyServer

/// swift-log's back end: lines go to the log thread, never to a descriptor.
struct ProxyLogHandler: LogHandler {
    let writer: LogWriter
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(_ writer: LogWriter, level: LogLevel) {
        self.writer = writer
        logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let fields = all.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
        writer.log(LogLevel(rawValue: event.level.rawValue) ?? .info, event.message.description, fields)
    }
}
