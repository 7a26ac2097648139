/// Slots for objects that are reused, never freed: an index and a generation name each tenancy.
package struct Slab<Element: AnyObject> {
    private var elements: [Element] = []
    private var generations: [UInt32] = []
    private var free: [Int32] = []
    private let make: (Int) -> Element

    /// The most slots that a token can name.
    package static var capacity: Int { 1 << 24 }

    /// - Parameter make: creates the object of a new slot, given the slot's index.
    package init(make: @escaping (Int) -> Element) {
        self.make = make
    }

    /// Slots in use.
    package var count: Int { elements.count - free.count }

    /// Slots that exist, used or free.
    package var slots: Int { elements.count }

    /// Takes a free slot, or makes one.
    /// - Returns: nil when all `capacity` slots are in use.
    package mutating func acquire() -> (element: Element, slot: Int, generation: UInt32)? {
        if let slot = free.popLast() {
            return (elements[Int(slot)], Int(slot), generations[Int(slot)])
        }
        guard elements.count < Self.capacity else { return nil }
        let slot = elements.count
        elements.append(make(slot))
        generations.append(0)
        free.reserveCapacity(elements.capacity)
        return (elements[slot], slot, 0)
    }

    /// Gives a slot back; tokens of its former generation no longer match.
    package mutating func release(slot: Int) {
        generations[slot] &+= 1
        free.append(Int32(slot))
    }

    /// The holder that the token was made for, nil when it is gone.
    package func element(for token: EventToken) -> Element? {
        guard token.slot < elements.count, generations[token.slot] == token.generation else { return nil }
        return elements[token.slot]
    }

    /// The object of a slot, whoever holds it.
    package subscript(slot: Int) -> Element { elements[slot] }
}
