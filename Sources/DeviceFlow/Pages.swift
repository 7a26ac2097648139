internal import AccessPolicy
internal import EventLoop
internal import FoundationEssentials
internal import System
internal import TokenStore

/// The page for people: no script, no redirect, nothing from elsewhere.
enum Pages {
    private static let style =
        "body{font:16px/1.5 sans-serif;max-width:42em;margin:3em auto;padding:0 1em}dt{font-weight:bold}code,input{font:inherit;font-family:monospace}"
    private static let fields =
        "Content-Security-Policy: default-src 'none'; style-src 'sha256-\(Data(TokenDigest(of: style.utf8.span).bytes).base64EncodedString())'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n"
        + "X-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"

    static func page(_ status: Int = 200, _ body: String, more: String = "") -> DeviceAnswer {
        let text = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Sign in a program</title><style>\(style)</style></head>
            <body><h1>Sign in a program</h1>
            \(body)
            </body></html>

            """
        return DeviceAnswer(
            status: status, type: "text/html; charset=utf-8", fields: fields + more, body: Secret(Array(text.utf8)))
    }

    static func message(_ status: Int, _ text: String, more: String = "") -> DeviceAnswer {
        page(status, "<p>\(escapedForHTML(text))</p>", more: more)
    }
}

extension DeviceAuthorizer {
    private static let tooManyTries = "Too many wrong codes came from your address. Try again in a minute."

    /// `GET /oauth/device/`. It approves nothing: it has no idea who reads it.
    func page(_ call: DeviceCall) -> DeviceAnswer {
        guard let form = try? FormParameters(call.query.span) else {
            return Pages.message(400, "The address is malformed.")
        }
        guard let typed = form.bytes("user_code") else { return askForCode("Type the code that the program shows.") }
        let now = doors.now()
        if let wait = wrongs.wait(call.client, now: doors.instant()) { return tooMany(wait) }
        guard let user = UserCode.read(typed) else {
            _ = wrongs.spend(call.client, now: doors.instant())
            return askForCode("That is no code. It has eight letters, such as WDJB-MJHT.", status: 400)
        }
        do throws(DeviceStoreFailure) {
            let digest = UserCode.digest(user).hexadecimal
            guard let code = try store.waiting(now: now).first(where: { $0.userDigest == digest }) else {
                _ = wrongs.spend(call.client, now: doors.instant())
                return askForCode("There is no such code now. Codes are good for ten minutes.", status: 404)
            }
            return show(code, UserCode.shown(user))
        } catch {
            failed(error)
            return Pages.message(503, "The proxy cannot look codes up at the moment.", more: "Retry-After: 5\r\n")
        }
    }

    private func askForCode(_ text: String, status: Int = 200) -> DeviceAnswer {
        Pages.page(
            status,
            """
            <p>\(escapedForHTML(text))</p>
            <form method="get" action="/oauth/device/"><p><label>Code <input name="user_code" autocomplete="off" autofocus></label> <button>Show</button></p></form>
            """)
    }

    private func tooMany(_ wait: Duration) -> DeviceAnswer {
        Pages.message(429, Self.tooManyTries, more: "Retry-After: \(wait.secondsRoundedUp)\r\n")
    }

    private func show(_ code: WaitingCode, _ shown: String) -> DeviceAnswer {
        let ceiling = doors.ceiling()
        let warning = ceiling.reach.isOrganizations ? "<p>\(Proposal.organizationWarning)</p>\n" : ""
        let proposal = Proposal(code, try? ceiling.grant(asked: code.asked), doors.now())
        let rows = [
            ("Code", shown), ("Client", "\(code.client) (it says so itself)"), ("Program", code.userAgent),
            ("Address", code.address), ("Asked at", UTCTime.text(code.made)), ("Asks", proposal.asks),
            ("Gets", proposal.gets), ("Leaves out", proposal.leavesOut),
        ]
        let list = rows.map { "<dt>\($0.0)</dt><dd>\(escapedForHTML($0.1))</dd>" }.joined(separator: "\n")
        let way: String
        if case .approved = code.state {
            way = "<p>It is approved. The program goes on by itself.</p>"
        } else {
            switch settings.approval {
            case .admin:
                way = """
                    <p>This page approves nothing. Where the proxy runs, its operator types</p>
                    <p><code>sentry-api-proxy device approve \(shown)</code></p>
                    """
            case .code:
                way = """
                    <form method="post" action="/oauth/device/">
                    <input type="hidden" name="user_code" value="\(shown)">
                    <p><label>Approval code <input name="approval_code" type="password" autocomplete="off"></label></p>
                    <p><button name="decision" value="approve">Approve</button> <button name="decision" value="deny">Deny</button></p>
                    </form>
                    """
            case .none: way = ""
            }
        }
        return Pages.page(
            200,
            """
            \(warning)<p><strong>Approve only if you started this.</strong> A program that asks again, for more, may do so because it was refused something.</p>
            <dl>
            \(list)
            </dl>
            \(way)
            """)
    }

    /// `POST /oauth/device/`: who has an approval code decides.
    func decide(_ form: FormParameters, _ call: DeviceCall) -> DeviceAnswer {
        guard isSameSite(call) else { return Pages.message(403, "This form was sent from another site.") }
        guard settings.approval == .code else { return Pages.message(403, "This proxy approves nothing on its page.") }
        if let wait = wrongs.wait(call.client, now: doors.instant()) { return tooMany(wait) }
        guard let typed = form.bytes("user_code"), let user = UserCode.read(typed),
            let passcode = form.bytes("approval_code"),
            let decision = form.text("decision"), decision == "approve" || decision == "deny"
        else { return Pages.message(400, "The form is not filled in.") }
        do throws(DeviceStoreFailure) {
            switch try decideByPasscode(user, passcode, isApproved: decision == "approve") {
            case .approved(let plan):
                return Pages.message(
                    200, "Approved as \(plan.name). The program goes on by itself; you can close this page.")
            case .denied: return Pages.message(200, "Denied.")
            case .unknown:
                _ = wrongs.spend(call.client, now: doors.instant())
                return Pages.message(404, "There is no such code now. Codes are good for ten minutes.")
            case .wrong(let left):
                _ = wrongs.spend(call.client, now: doors.instant())
                return Pages.message(
                    403,
                    left > 0
                        ? "That is no approval code. Tries left: \(left)."
                        : "That is no approval code. The code is denied now.")
            case .problem(let message): return Pages.message(409, "Nothing can be granted: \(message).")
            }
        } catch {
            failed(error)
            return Pages.message(503, "The proxy cannot approve at the moment.", more: "Retry-After: 5\r\n")
        }
    }

    /// A browser says where a form comes from; one that says nothing of it says at least the origin. The page's own policy
    /// makes that `null`, so it is looked at only then.
    private func isSameSite(_ call: DeviceCall) -> Bool {
        guard call.fetchSite.isEmpty else {
            return call.fetchSite.elementsEqual("same-origin".utf8) || call.fetchSite.elementsEqual("none".utf8)
        }
        guard !call.origin.isEmpty else { return true }
        let base = settings.base(host: call.host, isSecure: call.isSecure)
        // The base may have a path, an origin has none.
        return base.utf8.elementsEqual(call.origin) || base.utf8.starts(with: call.origin + [UInt8(ascii: "/")])
    }
}
