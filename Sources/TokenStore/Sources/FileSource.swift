internal import Glibc
internal import Synchronization
package import System

/// A token in a file, such as a mounted secret: read again when the file changes.
///
/// Asking for the file's signature once a second finds a rewrite, a rename over it and Kubernetes' swap of a symbolic
/// link alike, which inotify does only with a watch on every folder along the way.
package final class FileSource: TokenSource {
    package let kind = TokenKind.static
    package let origin: TokenOrigin
    package let isRenewable = false
    package let pollPeriod: Duration? = .seconds(1)

    private let path: String
    private let lastSeen = Mutex<FileSignature?>(nil)

    package init(path: String, origin: TokenOrigin) {
        self.path = path
        self.origin = origin
    }

    package func fetch(_ request: FetchRequest) async throws(TokenSourceError) -> FetchedToken {
        do {
            return FetchedToken(token: try read(), refreshAfter: nil)
        } catch {
            throw .file(error)
        }
    }

    package func hasChanged() async -> Bool {
        let signature = FileSignature(path: path)
        return lastSeen.withLock { $0 != signature }
    }

    private func read() throws(TokenFileError) -> Secret {
        // Taken before the bytes are: a write in between makes the next poll read again.
        let signature = FileSignature(path: path)
        lastSeen.withLock { $0 = signature }
        // O_NONBLOCK: opening a FIFO must not wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw errno == ENOENT || errno == ENOTDIR ? .missing : .notReadable }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .notReadable }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }

        // Room for white space around the token; one byte more tells a file that is too long from one that just fits.
        var bytes = [UInt8](repeating: 0, count: 2 * TokenText.maximumBytes + 1)
        defer { wipe(&bytes) }
        var count = 0
        while count < bytes.count {
            let room = bytes.count - count
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + count, room) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw .notReadable }
            if got == 0 { break }
            count += got
        }
        guard count < bytes.count else { throw .unusable(.tooLong) }
        do {
            return try TokenText.parse(bytes.span.extracting(0..<count))
        } catch {
            throw .unusable(error)
        }
    }
}
