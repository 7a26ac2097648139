internal import AccessPolicy
internal import TLS

/// Whether certificates are good today. A pure rule: time is a parameter.
enum CertificateDates {
    private static let daySeconds = 86_400
    private static let warnedDays = 30

    /// - Returns: a mistake when nobody would accept it now, a note when it ends soon; neither when all is well.
    static func judge(
        _ validity: TLSValidity?, _ name: String, now: Int
    ) -> (mistake: Failure?, note: String?) {
        guard let validity else { return (nil, nil) }
        let end = Timestamp.text(Int64(validity.endSeconds))
        if now >= validity.endSeconds {
            return (Failure(.configuration, "\(name): the certificate expired at \(end): renew it"), nil)
        }
        if now < validity.startSeconds {
            let start = Timestamp.text(Int64(validity.startSeconds))
            return (
                Failure(
                    .configuration, "\(name): the certificate begins at \(start) only: is this host's clock right?"),
                nil
            )
        }
        let days = (validity.endSeconds - now) / daySeconds
        guard days < warnedDays else { return (nil, nil) }
        return (nil, "\(name): the certificate expires in \(days == 1 ? "1 day" : "\(days) days"), at \(end): renew it")
    }
}
