/// Why a narrowed alias is refused; the names are those of log, metric and `X-Sentry-Api-Proxy-Refusal`.
package enum RefusalReason: UInt8, Sendable, CaseIterable {
    case expired, rate, concurrency, method, form, outside, unknown, operation, organization, project, needs, body

    package var name: StaticString {
        switch self {
        case .expired: "expired"
        case .rate: "rate"
        case .concurrency: "concurrency"
        case .method: "method"
        case .form: "form"
        case .outside: "outside"
        case .unknown: "unknown"
        case .operation: "operation"
        case .organization: "organization"
        case .project: "project"
        case .needs: "needs"
        case .body: "body"
        }
    }
}
