//! What is written is read back, and reads as it was written.

use proptest::prelude::*;
use subunit::strategy::{packet, string};
use subunit::{Packet, PacketBuf, RoutePrefix, chunks};

proptest! {
    #[test]
    fn an_event_encoded_again_gives_the_same_bytes(packet in packet()) {
        let event = packet.event();
        let again = PacketBuf::encode(&event).unwrap();
        prop_assert_eq!(again.as_bytes(), packet.as_bytes());
        prop_assert_eq!(chunks(&event).unwrap().collect::<Vec<_>>(), vec![event]);
    }

    #[test]
    fn any_other_byte_is_noticed(packet in packet(), index in any::<prop::sample::Index>(), change in 1..=255u8) {
        let mut bytes = packet.as_bytes().to_vec();
        let index = index.index(bytes.len());
        bytes[index] ^= change;
        prop_assert!(Packet::parse(&bytes).is_err());
    }

    #[test]
    fn a_rerouted_packet_is_the_one_encoded_with_the_new_route(packet in packet(), code in string()) {
        let mut prefix = RoutePrefix::new(code).unwrap();
        let expected = PacketBuf::encode(&prefix.event(&packet.event())).unwrap();
        prop_assert_eq!(prefix.parts(&packet.packet()).unwrap().concat(), expected.as_bytes());
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Packet::parse(&bytes);
        let _ = Packet::parse(&[b"\xb3\x2f\xf7", &*bytes].concat());
    }
}
