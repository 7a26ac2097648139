internal import Glibc

/// What `stat(2)` says of a file, links followed; a file that was written, replaced or swapped by a link has another one.
///
/// The time of the inode's change is in it: that of the content can be set to what it was before.
package struct FileSignature: Equatable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let times: [Int]

    /// nil if the file does not exist.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        times = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }
}
