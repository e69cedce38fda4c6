//! x509-cert as a reader of CSRs: hexadecimal lines in, verdicts out.
use std::io::{self, BufRead, Write};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::request::{CertReq, ExtensionReq};

fn read(der: &[u8]) -> Result<(), String> {
    let text = |e: x509_cert::der::Error| e.to_string();
    let request = CertReq::from_der(der).map_err(text)?;
    for attribute in request.info.attributes.iter() {
        if attribute.oid.to_string() != "1.2.840.113549.1.9.14" {
            continue;
        }
        for value in attribute.values.iter() {
            let list = ExtensionReq::from_der(&value.to_der().map_err(text)?).map_err(text)?;
            for ext in Vec::from(list) {
                let bytes = ext.extn_value.as_bytes();
                match ext.extn_id.to_string().as_str() {
                    "2.5.29.17" => SubjectAltName::from_der(bytes).map(|_| ()),
                    "2.5.29.15" => KeyUsage::from_der(bytes).map(|_| ()),
                    "2.5.29.37" => ExtendedKeyUsage::from_der(bytes).map(|_| ()),
                    "2.5.29.19" => BasicConstraints::from_der(bytes).map(|_| ()),
                    _ => Ok(()),
                }
                .map_err(text)?;
            }
        }
    }
    Ok(())
}

fn main() {
    let mut out = io::BufWriter::new(io::stdout());
    for line in io::stdin().lock().lines() {
        let line = line.expect("a line");
        let der: Vec<u8> = (0..line.len() / 2)
            .map(|i| u8::from_str_radix(&line[2 * i..2 * i + 2], 16).expect("hex"))
            .collect();
        match read(&der) {
            Ok(()) => writeln!(out, "ok"),
            Err(e) => writeln!(out, "no {}", e.replace('\n', " ")),
        }
        .expect("a pipe");
    }
}
