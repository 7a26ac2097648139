internal import ArgumentParser
internal import FoundationEssentials

/// What is asked of the device flow, over the admin listener.
struct DeviceQuestion: Encodable {
    var command: String
    var code: String?
    var name: String?
    var rights: String?
    var lifetime: Int64?
    var client: String?
}

struct AdminOption: ParsableArguments {
    @Option(help: "The proxy's admin listener: addr:port or unix:PATH. [ADMIN_LISTEN; 127.0.0.1:9090]")
    var adminListen: String?
    @Option(help: "The file with the secret that the proxy requires. [ADMIN_TOKEN_FILE]")
    var adminTokenFile: String?

    /// Prints the answer, or ends the process.
    func tell(_ question: DeviceQuestion) {
        do throws(Failure) {
            // Strings and a number: nothing that JSON cannot hold.
            let bytes = (try? JSONEncoder().encode(question)).map { Array($0) } ?? []
            let token = try AdminToken.setting.given(adminTokenFile).map { file throws(Failure) in
                try AdminToken(file).secret
            }
            print(try AdminClient(AdminAddress(flag: adminListen)).ask(device: bytes, token: token))
        } catch {
            error.exitProcess()
        }
    }
}

struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Lists, approves and denies requests of the OAuth device flow.",
        subcommands: [List.self, Approve.self, Deny.self, Passcode.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Shows who is waiting, what was requested and what would be granted.")

        @OptionGroup var admin: AdminOption

        func run() throws { admin.tell(DeviceQuestion(command: "list")) }
    }

    struct Approve: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve",
            abstract: "Approves a request; grants no more than was requested and --device-policy allows.")

        @Argument(help: "The code that the program shows, such as WDJB-MJHT.")
        var code: String
        @Option(help: "The name of the alias in the log and metrics.")
        var name: String?
        @Option(help: "Narrow it to these sets, org= and project=, such as 'mcp org=acme'.")
        var rights: String?
        @Option(name: .customLong("for"), help: "A shorter lifetime than --device-lifetime, such as 30m or 8h.")
        var lifetime: String?
        @OptionGroup var admin: AdminOption

        func run() throws {
            var seconds: Int64?
            if let lifetime {
                seconds = DeviceSettings.seconds(lifetime)
                guard seconds != nil else {
                    Failure(.usage, "--for: '\(lifetime)' is not a time such as 30m, 8h or 7d").exitProcess()
                }
            }
            admin.tell(
                DeviceQuestion(command: "approve", code: code, name: name, rights: rights, lifetime: seconds))
        }
    }

    struct Deny: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "deny", abstract: "Denies a request; the program learns of it at its next poll.")

        @Argument(help: "The code that the program shows.")
        var code: String?
        @Option(help: "Deny all waiting requests from this address instead, and all that it makes in the next hour.")
        var client: String?
        @OptionGroup var admin: AdminOption

        func run() throws {
            guard (code == nil) != (client == nil) else {
                Failure(.usage, "device deny: expected either CODE or --client ADDRESS").exitProcess()
            }
            admin.tell(DeviceQuestion(command: "deny", code: code, client: client))
        }
    }

    struct Passcode: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "passcode", abstract: "Prints an approval code for --device-approval code, valid once.")

        @OptionGroup var admin: AdminOption

        func run() throws { admin.tell(DeviceQuestion(command: "passcode")) }
    }
}
