internal import Glibc
internal import Synchronization
internal import System
internal import TokenStore

/// Does something when one of several files has changed.
///
/// It asks for their signatures once a second, which finds a rewrite, a rename over it and Kubernetes' swap of `..data`
/// alike; inotify(7) would need a watch on every folder along the way, and tells nothing on some network file systems.
final class FileWatcher: Sendable {
    static let pause: Duration = .seconds(1)

    private let paths: [String]
    private let state: Mutex<FileChanges>

    /// To be made before the files are read for the first time: a change since then counts.
    init(_ paths: [String]) {
        self.paths = paths
        state = Mutex(FileChanges(Self.signatures(paths)))
    }

    /// Starts its thread; without a file there is none.
    /// - Parameter action: called on that thread, once for all files that changed together.
    func start(_ action: @escaping @Sendable () -> Void) throws(SystemError) {
        guard !paths.isEmpty else { return }
        try Thread(name: "files") { [self] in
            while true {
                var pause = timespec(tv_sec: Int(Self.pause.seconds), tv_nsec: 0)
                nanosleep(&pause, nil)
                let seen = Self.signatures(paths)
                if state.withLock({ $0.isDue(seen) }) { action() }
            }
        }.detach()
    }

    /// What is there now is known: somebody else reads it.
    func markRead() {
        let seen = Self.signatures(paths)
        state.withLock { $0 = FileChanges(seen) }
    }

    private static func signatures(_ paths: [String]) -> [FileSignature?] {
        paths.map { FileSignature(path: $0) }
    }
}

/// Which looks at files call for an action. A pure rule.
///
/// Files that belong together (a certificate and its key, the aliases and the policy that names them) are seldom replaced
/// in one instant: a change counts once a second look finds nothing newer.
struct FileChanges {
    private var acted: [FileSignature?]
    private var last: [FileSignature?]

    init(_ known: [FileSignature?]) {
        acted = known
        last = known
    }

    mutating func isDue(_ seen: [FileSignature?]) -> Bool {
        defer { last = seen }
        guard seen != acted, seen == last else { return false }
        acted = seen
        return true
    }
}
