internal import AccessPolicy

/// What the proxy answers when it answers by itself.
struct LocalResponse {
    var answer = ErrorAnswer.internalError
    var format = AnswerFormat.text
    /// What the client is told in place of the answer's own message.
    var message: String?
    /// What of the rights of the alias the request came up against.
    var refusal: Refusal?
    /// When a request of the alias may come again, in seconds.
    var retryAfterSeconds: Int?
    /// The proxy says itself who the alias is.
    var identity: OperationTreatment?
    /// The request is one to the device flow.
    var consultation: Consultation?
}
