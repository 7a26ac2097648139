import Testing

@testable import TokenStore

@Suite struct PrecedenceTests {
    @Test func firstMatchWinsAndTheRestIsShadowed() throws {
        var inputs = TokenInputs(
            tokenFlag: "flag", tokenFileFlag: "/a", tokenFileVariable: "/b", authTokenVariable: "auth",
            tokenVariable: "env", tokenFileLine: "/c", tokenLine: "line", hasStoredLogin: true)
        let order: [(TokenOrigin, TokenChoice)] = [
            (.tokenFlag, .given(secret("flag"))), (.tokenFileFlag, .file("/a")), (.tokenFileVariable, .file("/b")),
            (.authTokenVariable, .given(secret("auth"))), (.tokenVariable, .given(secret("env"))),
            (.tokenFileLine, .file("/c")), (.tokenLine, .given(secret("line"))), (.storedLogin, .storedLogin),
        ]
        for index in order.indices {
            let result = try TokenPrecedence.decide(inputs)
            #expect(result.winner == order[index].0)
            #expect(result.choice == order[index].1)
            #expect(result.shadowed == order[(index + 1)...].map(\.0))
            switch index {
            case 0: inputs.tokenFlag = " "
            case 1: inputs.tokenFileFlag = ""
            case 2: inputs.tokenFileVariable = "\t\n"
            case 3: inputs.authTokenVariable = nil
            case 4: inputs.tokenVariable = ""
            case 5: inputs.tokenFileLine = ""
            case 6: inputs.tokenLine = " "
            default: inputs.hasStoredLogin = false
            }
        }
        let nothing = try TokenPrecedence.decide(inputs)
        #expect(nothing == TokenPrecedence(choice: .system, winner: .postgreSQL, shadowed: []))
    }

    @Test func blanksAreTrimmed() throws {
        #expect(try TokenPrecedence.decide(TokenInputs(tokenFlag: " \tabc\r\n")).choice == .given(secret("abc")))
        #expect(try TokenPrecedence.decide(TokenInputs(tokenFileFlag: " /run/a b \n")).choice == .file("/run/a b"))
    }

    @Test func theWordSystem() throws {
        let flag = try TokenPrecedence.decide(TokenInputs(tokenFlag: " system ", authTokenVariable: "auth"))
        #expect(flag == TokenPrecedence(choice: .system, winner: .tokenFlag, shadowed: [.authTokenVariable]))
        let variable = try TokenPrecedence.decide(TokenInputs(tokenVariable: "system", hasStoredLogin: true))
        #expect(variable == TokenPrecedence(choice: .system, winner: .tokenVariable, shadowed: [.storedLogin]))
        let other = try TokenPrecedence.decide(TokenInputs(authTokenVariable: "system"))
        #expect(other.choice == .given(secret("system")))
        let shadowedSystem = try TokenPrecedence.decide(TokenInputs(authTokenVariable: "auth", tokenVariable: "system"))
        #expect(shadowedSystem.winner == .authTokenVariable)
    }

    @Test func aTokenThatNoHeaderTakes() {
        #expect(throws: TokenPrecedenceError(origin: .tokenVariable, cause: .illegalByte)) {
            try TokenPrecedence.decide(TokenInputs(tokenVariable: "two words"))
        }
        let error = TokenPrecedenceError(origin: .tokenFlag, cause: .tooLong)
        #expect(error.message == "--token: expected a Sentry token, but it is longer than 4096 bytes")
    }
}
