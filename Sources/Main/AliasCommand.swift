internal import AccessPolicy
internal import ArgumentParser
internal import EventLoop
internal import Glibc

struct AliasCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alias", abstract: "Aliases, which clients hold in place of the token.", subcommands: [New.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new", abstract: "Makes a random alias and prints its line for the alias file.")

        @Argument(help: "Whose alias it is; shown in the access log.")
        var name: String

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
            do throws(SystemError) {
                print("\(name) \(makeAlias(random: try Entropy.bytes(32)))")
            } catch {
                throw Failure(.system, "random bytes: \(error.summary)")
            }
            Terminal.note("append this line to the file that --alias-file names, then send the proxy a SIGHUP")
        }
    }
}
