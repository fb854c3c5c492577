//! TLS with a root of our own.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate for `localhost`, signed by a root that only tests know.
pub struct TestTls {
    root_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl TestTls {
    /// Makes a root and a certificate for `localhost` and `127.0.0.1`.
    ///
    /// # Panics
    /// Where keys cannot be made, which no test can go on without.
    pub fn new() -> Self {
        Self::make().expect("a certificate can be made")
    }

    fn make() -> Result<Self, rcgen::Error> {
        let mut root = CertificateParams::new(Vec::new())?;
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate()?)?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.signed_by(&key, &root)?;
        Ok(Self {
            root_pem: root.pem(),
            chain: vec![certificate.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
        })
    }

    /// The root, PEM: what a client must be given to accept the certificate.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// Accepts connections, offering the protocols `alpn` (`h2`, `http/1.1`).
    ///
    /// # Panics
    /// Where the certificate made above is not accepted.
    pub fn acceptor(&self, alpn: &[&str]) -> TlsAcceptor {
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let mut config = builder
            .with_safe_default_protocol_versions()
            .expect("the provider has the usual versions")
            .with_no_client_auth()
            .with_single_cert(
                self.chain.clone(),
                PrivateKeyDer::Pkcs8(self.key.clone_key()),
            )
            .expect("the certificate fits its key");
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Default for TestTls {
    fn default() -> Self {
        Self::new()
    }
}
