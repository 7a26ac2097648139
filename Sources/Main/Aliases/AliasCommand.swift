internal import AccessPolicy
internal import ArgumentParser
internal import Glibc
internal import System

struct AliasCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alias", abstract: "Manages aliases, which clients use in place of the token.",
        subcommands: [
            New.self, List.self, Revoke.self,
        ])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Shows what a running proxy's device flow has granted.")

        @OptionGroup var admin: AdminOption

        func run() throws { admin.tell(DeviceQuestion(command: "grants")) }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Withdraws a grant of a running proxy's device flow immediately.")

        @Argument(help: "The name of the grant, as alias list shows it.")
        var name: String
        @OptionGroup var admin: AdminOption

        func run() throws { admin.tell(DeviceQuestion(command: "revoke", name: name)) }
    }

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new", abstract: "Generates a random alias and prints its line for the alias file.")

        @Argument(help: "The owner's name, shown in the access log.")
        var name: String
        @Argument(help: "Its rights: sets and limits. With --policy-file, also sets from that file.")
        var words: [String] = []
        @Flag(
            help: "Print a line with only the SHA-256 of the alias; the alias itself is printed once to standard error."
        )
        var hash = false
        @OptionGroup var files: PolicyFileOptions

        func run() throws {
            do throws(Failure) {
                try make()
            } catch {
                error.exitProcess()
            }
        }

        private func make() throws(Failure) {
            guard !name.isEmpty, !name.hasPrefix("#"), name.utf8.allSatisfy({ 0x21...0x7e ~= $0 }) else {
                throw Failure(.usage, "NAME: expected visible ASCII without blanks and without # in front")
            }
            try checkWords()
            let alias: String
            do throws(SystemError) {
                alias = makeAlias(random: try Entropy.bytes(32))
            } catch {
                throw Failure(.system, "random bytes: \(error.summary)")
            }
            print(([name, hash ? hashedForm(of: alias) : alias] + words).joined(separator: " "))
            // Not on stdout, which is appended to the file that shall not hold it.
            if hash { Terminal.note("the alias, shown this once: \(alias)") }
            Terminal.note(
                "append this line to the file named by --alias-file; a running proxy picks it up automatically, or on SIGHUP"
            )
        }

        /// What the proxy would refuse is refused here.
        private func checkWords() throws(Failure) {
            guard !words.isEmpty else { return }
            let policy = try PolicyFiles(files).load()
            do throws(AliasWords.Problem) {
                _ = try AliasWords(words, sets: (policy ?? .builtIn).sets, now: Int64(time(nil)))
            } catch {
                throw Failure(.usage, "WORDS: \(error.message)")
            }
        }
    }
}
