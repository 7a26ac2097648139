import System
import Testing

@testable import ProxyServer

@Suite struct IterationShareTests {
    @Test func theFirstPieceOfAnIterationAlwaysMay() {
        var share = IterationShare()
        let mayBegin = share.mayMoveMore(inIteration: 1, began: .distantPast)
        share.moved = Bounds.bytesPerIteration
        let mayGoOnInTheNext = share.mayMoveMore(inIteration: 2, began: .distantPast)
        let isStillTheFirst = share.mayMoveMore(inIteration: 2, began: .distantPast)
        #expect(mayBegin && mayGoOnInTheNext && isStillTheFirst)
    }

    @Test(arguments: [
        (1, true), (Bounds.bytesPerIteration - 1, true), (Bounds.bytesPerIteration, false),
        (Bounds.bytesPerIteration + 1, false),
    ])
    func moreOfThemMayUpToANumberOfBytes(_ moved: Int, _ mayMore: Bool) {
        var share = IterationShare()
        _ = share.mayMoveMore(inIteration: 1, began: .never)
        share.moved = moved
        // An iteration that has yet to begin is young for ever.
        let may = share.mayMoveMore(inIteration: 1, began: .never)
        #expect(may == mayMore)
    }

    @Test func anOldIterationAllowsNoSecondPiece() {
        var share = IterationShare()
        _ = share.mayMoveMore(inIteration: 1, began: .distantPast)
        share.moved = 1
        let may = share.mayMoveMore(inIteration: 1, began: .distantPast)
        #expect(!may)
    }

    @Test func eachSideIsPostponedOnceInAnIteration() {
        var share = IterationShare()
        let sides = [
            Exchange.Side.client, Exchange.Side.client, Exchange.Side.upstream, Exchange.Side.secondAttempt,
            Exchange.Side.client,
        ]
        let first = sides.map { share.postpones($0, inIteration: 1) }
        #expect(first == [true, false, true, false, false])
        let next = [Exchange.Side.upstream, Exchange.Side.client].map { share.postpones($0, inIteration: 2) }
        #expect(next == [true, true])
    }
}
