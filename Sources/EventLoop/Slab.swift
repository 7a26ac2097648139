/// Slots for objects that are reused, never freed: an index and a generation name each tenancy.
///
/// Inlinable, so that it is compiled for its one kind of element; generic code costs several times as much.
@usableFromInline
package struct Slab<Element: AnyObject> {
    @usableFromInline var elements: [Element] = []
    @usableFromInline var generations: [UInt32] = []
    @usableFromInline var free: [Int32] = []
    @usableFromInline let make: (Int) -> Element

    /// The most slots that a token can name.
    @inlinable
    package static var capacity: Int { 1 << 24 }

    /// - Parameter make: creates the object of a new slot, given the slot's index.
    @inlinable
    package init(make: @escaping (Int) -> Element) {
        self.make = make
    }

    /// Slots in use.
    @inlinable
    package var count: Int { elements.count - free.count }

    /// Slots that exist, used or free.
    @inlinable
    package var slots: Int { elements.count }

    /// Takes a free slot, or makes one.
    /// - Returns: nil when all `capacity` slots are in use.
    @inlinable
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
    @inlinable
    package mutating func release(slot: Int) {
        generations[slot] &+= 1
        free.append(Int32(slot))
    }

    /// The holder that the token was made for, nil when it is gone.
    @inlinable
    package func element(for token: EventToken) -> Element? {
        guard token.slot < elements.count, generations[token.slot] == token.generation else { return nil }
        return elements[token.slot]
    }

    /// The object of a slot, whether occupied or not.
    @inlinable
    package subscript(slot: Int) -> Element { elements[slot] }
}
