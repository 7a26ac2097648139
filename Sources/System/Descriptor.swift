internal import CEpoll

/// A file descriptor and the duty to close it.
package struct Descriptor: ~Copyable, Sendable {
    package let raw: CInt

    /// Takes ownership of `raw`.
    package init(owning raw: CInt) {
        self.raw = raw
    }

    deinit {
        _ = cepoll_close(raw)
    }
}
