internal import EventLoop
internal import Glibc
internal import Synchronization
internal import System

/// A body's file. It is touched by the spooler's thread only, which also closes it: that can take as long as writing.
final class SpooledBody: @unchecked Sendable {
    // Invariant: made by a worker without its file; from then on the spooler's thread alone reads and writes `file`.
    fileprivate var file: SpoolFile?
}

/// One reading or writing that a worker has asked for, and what became of it.
///
/// The buffer goes with it, and comes back by mail: nobody else has it in between.
struct SpoolJob: @unchecked Sendable {
    enum Kind: Sendable { case write, read }

    let kind: Kind
    let body: SpooledBody
    let buffer: PooledBuffer
    /// Bytes from the buffer's start.
    let count: Int
    /// In the file.
    let offset: Int
    /// The exchange, which may be over when the job is done.
    let token: EventToken
    var error: SystemError?
}

/// The thread that reads and writes spooled bodies, so that no worker waits for a disk.
final class Spooler: Sendable {
    private enum Order: Sendable {
        case job(SpoolJob, Mailbox<WorkerMail>)
        case discard(SpooledBody)
    }

    private let place: SpoolPlace
    private let orders: Mailbox<Order>
    /// Bytes in all files together.
    private let spooled = Atomic<Int>(0)
    private let most: Int

    init(_ place: SpoolPlace, most: Int) throws(SystemError) {
        self.place = place
        self.most = most
        orders = try Mailbox()
    }

    func start() throws(SystemError) {
        try Thread(name: "spool") { [self] in run() }.detach()
    }

    var spooledBytes: Int { spooled.load(ordering: .relaxed) }

    /// Counts `bytes` more in, unless that would be too many.
    func reserve(_ bytes: Int) -> Bool {
        guard spooled.add(bytes, ordering: .relaxed).newValue <= most else {
            spooled.subtract(bytes, ordering: .relaxed)
            return false
        }
        return true
    }

    /// The answer is mail for the worker.
    func order(_ job: SpoolJob, answerTo mailbox: Mailbox<WorkerMail>) {
        orders.post(.job(job, mailbox))
    }

    /// The body is sent, or will never be.
    func discard(_ body: SpooledBody, reserved bytes: Int) {
        spooled.subtract(bytes, ordering: .relaxed)
        orders.post(.discard(body))
    }

    private func run() {
        while true {
            var waiting = pollfd(fd: orders.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, -1)
            obey()
        }
    }

    /// Does what was ordered so far.
    func obey() {
        for order in orders.takeAll() {
            switch order {
            case .discard(let body): body.file = nil
            case .job(var job, let mailbox):
                do throws(SystemError) { try perform(job) } catch { job.error = error }
                mailbox.post(.spooled(job))
            }
        }
    }

    private func perform(_ job: SpoolJob) throws(SystemError) {
        if job.body.file == nil { job.body.file = try SpoolFile(in: place) }
        let bytes = job.buffer.bytes.part(0..<job.count)
        switch job.kind {
        case .write: try job.body.file!.write(UnsafeRawBufferPointer(bytes), at: job.offset)
        case .read: try job.body.file!.read(into: bytes, at: job.offset)
        }
    }
}
