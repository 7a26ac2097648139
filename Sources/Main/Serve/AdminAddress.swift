internal import EventLoop
internal import ProxyServer
internal import System

/// Where the admin listener is, for the server and for those who ask it.
struct AdminAddress {
    private static let form = "addr:port, :port, [v6]:port, unix:PATH or off"

    /// nil when there is none.
    let address: ListenAddress?
    private let given: Given
    /// As it was given.
    var text: String { given.value }

    /// - Parameter flag: the value of `--admin-listen`.
    init(flag: String?) throws(Failure) {
        given =
            Setting("--admin-listen", "ADMIN_LISTEN").given(flag)
            ?? Given(value: "127.0.0.1:9090", name: "--admin-listen", status: .usage)
        guard given.value.lowercased() != "off" else {
            address = nil
            return
        }
        address = ListenAddress(given.value)
        guard address != nil else {
            throw Failure(given.status, "\(given.name): \(ListenAddress.complaint(given.value, forms: Self.form))")
        }
    }

    /// - Returns: nil if there is no admin listener.
    func bind() throws(Failure) -> Listener? {
        guard let address else { return nil }
        do throws(SystemError) {
            return try address.bindAlone(backlog: 64)
        } catch {
            throw Failure(
                .unavailable,
                "\(given.name): cannot listen on '\(given.value)': \(address.complaint(error))"
                    + (error == .addressNotAvailable ? ", or off" : "; give another address, or off")
            )
        }
    }
}
