use std::fs;

use image::DynamicImage;

use super::*;

/// An IDX file of these sizes, whose bytes count up.
fn idx_bytes(sizes: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes
        .iter()
        .for_each(|size| bytes.extend(size.to_be_bytes()));
    let count: u32 = sizes.iter().product();
    bytes.extend((0..count).map(|number| (number % 10) as u8));
    bytes
}

#[test]
fn the_files_of_mnist_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    write(idx::TRAIN[0], idx_bytes(&[20, 2, 3]));
    write(idx::TRAIN[1], idx_bytes(&[20]));
    assert!(Pictures::are_at(folder.path()));
    let pictures = Pictures::read(folder.path()).unwrap();
    assert_eq!(pictures.labels.len(), 10);
    let parts = (
        pictures.train.len(),
        pictures.dev.len(),
        pictures.test.len(),
    );
    assert_eq!((parts, pictures.channels), ((18, 2, 0), 1));
    for one in pictures.train.iter().chain(&pictures.dev) {
        // Picture n starts at the byte 6 n, and its label is n modulo 10.
        let first = (0..20)
            .filter(|n| n % 10 == one.label)
            .map(|n| (6 * n % 10) as u8);
        assert!(first.clone().any(|byte| byte == one.bytes[0]), "{one:?}");
        assert_eq!((one.sides, one.bytes.len()), ([2, 3], 6));
    }
}

#[test]
fn damaged_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let read = |pictures: Vec<u8>, labels: Vec<u8>| {
        fs::write(folder.path().join(idx::TRAIN[0]), pictures).unwrap();
        fs::write(folder.path().join(idx::TRAIN[1]), labels).unwrap();
        Pictures::read(folder.path()).unwrap_err().to_string()
    };
    let good = || idx_bytes(&[12, 2, 2]);
    let mut claims = good();
    claims[4..16].fill(0xff);
    for (pictures, labels, message) in [
        (
            good()[..20].to_vec(),
            idx_bytes(&[12]),
            "more or fewer bytes",
        ),
        (claims, idx_bytes(&[12]), "more or fewer bytes"),
        (idx_bytes(&[12]), idx_bytes(&[12]), "not in the IDX format"),
        (Vec::new(), idx_bytes(&[12]), "not in the IDX format"),
        (good(), idx_bytes(&[11]), "11 labels for the 12 pictures"),
    ] {
        let error = read(pictures, labels);
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_folder_for_each_label_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let draw = |part: &str, gray: bool| {
        for label in ["cat", "dog"] {
            let folder = folder.path().join(part).join(label);
            fs::create_dir_all(&folder).unwrap();
            for number in 0..6 {
                let picture = match gray {
                    true => DynamicImage::new_luma8(4, 3),
                    false => DynamicImage::new_rgb8(4, 3),
                };
                picture.save(folder.join(format!("{number}.png"))).unwrap();
            }
            fs::write(folder.join("notes.txt"), "none").unwrap();
        }
    };
    draw("", true);
    assert!(Pictures::are_at(folder.path()));
    let pictures = Pictures::read(folder.path()).unwrap();
    assert_eq!(pictures.labels, ["cat", "dog"]);
    let parts = (
        pictures.train.len(),
        pictures.dev.len(),
        pictures.test.len(),
    );
    assert_eq!((parts, pictures.channels), ((11, 1, 0), 1));

    draw("train", false);
    draw("test", true);
    let pictures = Pictures::read(folder.path()).unwrap();
    let parts = (
        pictures.train.len(),
        pictures.dev.len(),
        pictures.test.len(),
    );
    assert_eq!((parts, pictures.channels), ((11, 1, 12), 3));
    assert_eq!(pictures.train[0].bytes.len(), 36);

    fs::create_dir_all(folder.path().join("test/cow")).unwrap();
    let cow = folder.path().join("test/cow/1.png");
    DynamicImage::new_luma8(4, 3).save(&cow).unwrap();
    let error = Pictures::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("no label `cow`"), "{error}");
    fs::write(&cow, "no picture").unwrap();
    let error = Pictures::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("1.png: it is no PNG"), "{error}");
}
