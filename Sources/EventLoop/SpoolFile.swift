internal import CEpoll
internal import Glibc
package import System

/// Where bytes are spooled that are too many to be held.
package enum SpoolPlace: Sendable, Equatable {
    /// Files in this folder, which nobody else can open: they lose their name as soon as they are made.
    case folder(String)
    /// Memory of the kernel's (memfd_create(2)), which a cgroup counts.
    case memory
}

/// A file without a name. It is gone when it is closed, or when the process ends.
package struct SpoolFile: ~Copyable {
    private let descriptor: Descriptor

    /// - Throws: the system's error; the folder may be missing, full or read-only.
    package init(in place: SpoolPlace) throws(SystemError) {
        switch place {
        case .memory: descriptor = Descriptor(owning: try checked(cepoll_memory_file("spool")))
        case .folder(let path): descriptor = Descriptor(owning: try checked(cepoll_nameless_file(path)))
        }
    }

    /// Writes all of it; may block.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor.raw, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw SystemError(code: count == 0 ? ENOSPC : errno)
            }
        }
    }

    /// Fills all of it; may block.
    /// - Throws: also when the file is shorter.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor.raw, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw SystemError(code: count == 0 ? EIO : errno)
            }
        }
    }
}
