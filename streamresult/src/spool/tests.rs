use super::*;

/// Bytes that differ from place to place.
fn pattern(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|at| (at / 251) as u8 ^ (at as u8) ^ seed).collect()
}

fn read(buffer: &Spooled, spool: &Spool) -> Vec<u8> {
    let mut bytes = Vec::new();
    buffer.reader(spool).read_to_end(&mut bytes).unwrap();
    bytes
}

fn check(pieces: &[usize], in_memory: bool) {
    let mut spool = Spool::default();
    let mut buffer = Spooled::default();
    let mut expected = Vec::new();
    for (seed, &len) in pieces.iter().enumerate() {
        let piece = pattern(len, seed as u8);
        spool.append(&mut buffer, &piece).unwrap();
        expected.extend(piece);
    }
    assert_eq!(buffer.len(), expected.len() as u64);
    assert_eq!(buffer.in_memory().is_some(), in_memory);
    assert!(read(&buffer, &spool) == expected);
    spool.clear(&mut buffer);
    assert_eq!((buffer.len(), spool.in_memory), (0, 0));
}

#[test]
fn bytes_come_back_from_memory_and_from_the_file() {
    check(&[], true);
    check(&[5, 0, 100], true);
    check(&[IN_MEMORY], true);
    check(&[IN_MEMORY + 1], false);
    check(&[IN_MEMORY, 1, 10, BLOCK, 7], false);
    check(&[3 * IN_MEMORY + 17, 900_000, 900_000], false);
}

#[test]
fn memory_is_bounded_for_all_buffers_together() {
    let mut spool = Spool::default();
    let mut buffers: Vec<Spooled> = Vec::new();
    for seed in 0..100 {
        let mut buffer = Spooled::default();
        spool.append(&mut buffer, &pattern(300_000, seed)).unwrap();
        buffers.push(buffer);
        assert!(spool.in_memory <= IN_MEMORY_TOTAL);
    }
    for (seed, buffer) in buffers.iter().enumerate() {
        assert!(read(buffer, &spool) == pattern(300_000, seed as u8));
    }
    buffers.iter_mut().for_each(|buffer| spool.clear(buffer));
    assert_eq!((spool.in_memory, spool.blocks), (0, 0));
}

#[test]
fn blocks_are_used_again() {
    let mut spool = Spool::default();
    let mut first = Spooled::default();
    spool.append(&mut first, &pattern(2 * IN_MEMORY, 1)).unwrap();
    let blocks = spool.blocks;
    for seed in 0..5 {
        let mut second = Spooled::default();
        spool.append(&mut second, &pattern(2 * IN_MEMORY, seed)).unwrap();
        assert!(read(&second, &spool) == pattern(2 * IN_MEMORY, seed));
        spool.clear(&mut second);
    }
    assert_eq!(spool.blocks, 2 * blocks);
    assert!(read(&first, &spool) == pattern(2 * IN_MEMORY, 1));
}

#[test]
fn every_part_of_every_buffer_comes_back() {
    let mut spool = Spool::with_limits(5000, 12_000);
    let mut buffers: Vec<Spooled> = (0..3).map(|_| Spooled::default()).collect();
    let mut expected = vec![Vec::new(); 3];
    for number in 0..60_000_u32 {
        let which = (number as usize * 7) % 3;
        let piece = vec![number as u8; number as usize % 50];
        buffers[which].tail().extend(&piece);
        expected[which].extend(piece);
        spool.settle(&mut buffers[which]).unwrap();
    }
    for (buffer, expected) in buffers.iter().zip(&expected) {
        assert!(buffer.blocks.len() > 2 && !buffer.tail.is_empty());
        for (from, to) in
            [(0, expected.len()), (100, 200_000), (65_000, 66_000), (expected.len() - 10, expected.len())]
        {
            let mut found = Vec::new();
            spool.copy(buffer, from as u64..to as u64, &mut found).unwrap();
            assert!(found == expected[from..to], "{from}..{to}");
        }
    }
}

#[test]
fn short_buffers_take_little_more_of_the_file_than_they_have() {
    let mut spool = Spool::with_limits(1 << 20, 1 << 20);
    let mut buffers: Vec<Spooled> = (0..10_000).map(|_| Spooled::default()).collect();
    for (seed, buffer) in buffers.iter_mut().enumerate() {
        spool.append(buffer, &pattern(1100, seed as u8)).unwrap();
    }
    assert!(u64::from(spool.blocks) * BLOCK as u64 <= 10_000 * 4096, "{}", spool.blocks);
    let is_back = |(seed, buffer): (usize, &Spooled)| read(buffer, &spool) == pattern(1100, seed as u8);
    assert!(buffers.iter().enumerate().all(is_back));
}

#[test]
fn the_file_is_where_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::with_limits(0, 0).in_folder(&folder.path().join("none"));
    let mut buffer = Spooled::default();
    let error = spool.append(&mut buffer, b"abc").unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    assert_eq!(buffer.in_memory(), Some(&b"abc"[..]), "nothing is lost");
    let mut spool = Spool::with_limits(0, 0).in_folder(folder.path());
    let mut buffer = Spooled::default();
    spool.append(&mut buffer, b"abc").unwrap();
    assert_eq!((buffer.in_memory(), read(&buffer, &spool)), (None, b"abc".to_vec()));
}
