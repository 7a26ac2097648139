internal import Glibc
package import System

/// One file of one user in the state directory, mode 0600, in a folder of mode 0700.
///
/// Writers take `flock(2)` on a file beside it, write a temporary file, fsync it and rename it over, so that a reader, who
/// takes no lock, sees a whole document always.
package struct StateFile: Sendable {
    static let mostBytes = 1 << 20
    /// Room that is set aside before a refresh token is used up, so that a full disk is found out before and not after.
    static let reservedBytes = 65_536

    package let folder: String
    let name: String
    /// Nobody named the folder, so one that cannot even be looked for holds nothing.
    private let isDefault: Bool
    private let mostBytes: Int
    package var path: String { folder + "/" + name }

    /// What was stored.
    package struct Stored {
        package var bytes: [UInt8]
        package let stamp: LoginStamp
    }

    /// - Parameter folder: made when something is stored.
    package init(folder: String, name: String, isDefault: Bool = false, mostBytes: Int = StateFile.mostBytes) {
        self.folder = folder
        self.name = name
        self.isDefault = isDefault
        self.mostBytes = mostBytes
    }

    /// - Returns: nil if the file does not exist.
    package func read() throws(LoginStoreError) -> Stored? { try load(path) }

    private func load(_ path: String) throws(LoginStoreError) -> Stored? {
        var status = stat()
        guard stat(folder, &status) == 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR || isDefault && code == EACCES { return nil }
            throw .notReadable(code)
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT: return nil
            case ELOOP: throw .notRegular
            case let code:
                // A file that one may not read is somebody else's more often than not.
                if stat(path, &status) == 0, status.st_uid != geteuid() { throw .foreignOwner }
                throw .notReadable(code)
            }
        }
        defer { close(descriptor) }
        try checkFolder(status)
        guard fstat(descriptor, &status) == 0 else { throw .notReadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard status.st_uid == geteuid() else { throw .foreignOwner }
        guard status.st_mode & 0o077 == 0 else { throw .fileTooOpen }
        guard status.st_size <= mostBytes else { throw .corrupt }
        var bytes = try contents(descriptor)
        // Room that was set aside and not cut off yet; a document has no such byte.
        while bytes.last == 0 { bytes.removeLast() }
        return Stored(bytes: bytes, stamp: LoginStamp(status))
    }

    /// Runs `body` with every other process kept out, and stores the bytes that it gives; nil changes nothing.
    /// - Parameters:
    ///   - deadline: on the monotonic clock, for the wait for others.
    ///   - check: throws when the bytes are no document: those of the file, or what a killed process left behind.
    package func change<R>(
        deadline: Instant, check: ([UInt8]) throws(LoginStoreError) -> Void,
        _ body: (Stored?) throws(LoginStoreError) -> (R, [UInt8]?)
    ) throws(LoginStoreError) -> (R, LoginStamp) {
        try makeFolder()
        let lock = try lockFile(deadline)
        defer { close(lock) }
        try recover(check)
        let before = try read()
        // Made before `body` runs: from the moment in which a server hands out a new refresh token, little is left to do.
        let temporary = try Replacement(folder: folder, place: path)
        defer { temporary.discard() }
        let (result, bytes) = try body(before)
        guard let bytes else { return (result, before?.stamp ?? .nothing) }
        return (result, try temporary.commit(bytes))
    }

    /// Its state now, without reading it.
    package var stamp: LoginStamp {
        var status = stat()
        return stat(path, &status) == 0 ? LoginStamp(status) : .nothing
    }

    /// What a process wrote whole before it was killed is newer than what it was to replace, and its tokens are the only
    /// good ones: it is put in place. A part of a document is not.
    private func recover(_ check: ([UInt8]) throws(LoginStoreError) -> Void) throws(LoginStoreError) {
        // The file itself must be right before anything takes its place.
        if let current = try read() { try check(current.bytes) }
        let path = Replacement.path(self.path)
        guard var left = (try? load(path)) ?? nil else { return }
        defer { wipe(&left.bytes) }
        guard (try? check(left.bytes)) != nil else { return }
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var bytes = try contents(descriptor)
        defer { wipe(&bytes) }
        let length = off_t((bytes.lastIndex { $0 != 0 } ?? -1) + 1)
        guard ftruncate(descriptor, length) == 0, fsync(descriptor) == 0, rename(path, self.path) == 0 else {
            throw .notWritable(errno)
        }
    }

    private func checkFolder(_ status: stat) throws(LoginStoreError) {
        guard status.st_uid == geteuid() else { throw .foreignOwner }
        guard status.st_mode & 0o077 == 0 else { throw .folderTooOpen }
    }

    private func contents(_ descriptor: CInt) throws(LoginStoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: mostBytes + 1)
        defer { wipe(&bytes) }
        var count = 0
        while count < bytes.count {
            let room = bytes.count - count
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + count, room) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .notReadable(errno) }
            if got == 0 { break }
            count += got
        }
        guard count <= mostBytes else { throw .corrupt }
        return Array(bytes[..<count])
    }

    /// The folder and those above it, as far as they are missing, for the owner alone.
    private func makeFolder() throws(LoginStoreError) {
        var path = ""
        for part in folder.split(separator: "/", omittingEmptySubsequences: false) {
            path += (path.isEmpty && !folder.hasPrefix("/") ? "" : path.hasSuffix("/") ? "" : "/") + part
            guard !part.isEmpty, part != ".", part != ".." else { continue }
            if mkdir(path, 0o700) != 0, errno != EEXIST, errno != EISDIR, errno != EROFS { throw .notWritable(errno) }
        }
        var status = stat()
        guard stat(folder, &status) == 0 else { throw .notWritable(errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notWritable(ENOTDIR) }
        try checkFolder(status)
    }

    /// An exclusive `flock(2)`, given back when the descriptor is closed, by a killed process too.
    private func lockFile(_ deadline: Instant) throws(LoginStoreError) -> CInt {
        let descriptor = open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .notWritable(errno) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK || code == EINTR else {
                close(descriptor)
                throw .notWritable(code)
            }
            guard Clock.now < deadline else {
                close(descriptor)
                throw .locked
            }
            usleep(5_000)
        }
        return descriptor
    }
}

extension LoginStamp {
    /// Without the time of the inode's change, which a rename moves.
    fileprivate init(_ status: stat) {
        parts = [
            Int64(bitPattern: UInt64(status.st_dev)), Int64(bitPattern: UInt64(status.st_ino)), Int64(status.st_size),
            Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec),
        ]
    }
}

/// The temporary file that takes the place of another by a rename. There is one name for it, and the lock guards it.
private struct Replacement: ~Copyable {
    private let folder: String
    private let path: String
    private let place: String
    private let descriptor: CInt

    static func path(_ place: String) -> String { place + ".new" }

    init(folder: String, place: String) throws(LoginStoreError) {
        self.folder = folder
        self.place = place
        path = Self.path(place)
        // A part that a killed process left behind.
        unlink(path)
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .notWritable(errno) }
        let code = posix_fallocate(descriptor, 0, off_t(StateFile.reservedBytes))
        // Some file systems cannot set room aside; they may still have it.
        guard code == 0 || code == EOPNOTSUPP || code == EINVAL else {
            close(descriptor)
            unlink(path)
            throw .notWritable(code)
        }
    }

    func commit(_ document: [UInt8]) throws(LoginStoreError) -> LoginStamp {
        var bytes = document
        defer { wipe(&bytes) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .notWritable(errno) }
            written += count
        }
        var status = stat()
        guard ftruncate(descriptor, off_t(written)) == 0, fsync(descriptor) == 0, fstat(descriptor, &status) == 0,
            rename(path, place) == 0
        else { throw .notWritable(errno) }
        let parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 {
            // The rename itself must be on the disk too. A file system that cannot sync a folder is not an error.
            fsync(parent)
            close(parent)
        }
        return LoginStamp(status)
    }

    /// Closes it, and removes it unless it was committed.
    func discard() {
        close(descriptor)
        unlink(path)
    }
}
