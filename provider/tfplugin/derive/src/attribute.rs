//! One field of the struct, and the code generated for it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token, Visibility};

/// A field with the words of its `#[attr(...)]`.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) name: String,
    pub(crate) description: String,
    required: bool,
    optional: bool,
    computed: bool,
    stable: bool,
    replace: bool,
    sensitive: bool,
    write_only: bool,
    no_setting: bool,
    marks: Vec<(String, String)>,
    default: Option<Expr>,
    deprecated: Option<LitStr>,
    kind: Option<Path>,
    pub(crate) setting: Option<syn::Type>,
    pub(crate) ty: syn::Type,
}

impl Field {
    pub(crate) fn parse(field: &syn::Field) -> syn::Result<Self> {
        let ident = field.ident.clone().ok_or_else(|| syn::Error::new_spanned(field, "a name is needed"))?;
        let mut parsed = Self {
            name: ident.to_string().trim_start_matches("r#").to_owned(),
            ident,
            vis: field.vis.clone(),
            description: description(field),
            required: false,
            optional: false,
            computed: false,
            stable: false,
            replace: false,
            sensitive: false,
            write_only: false,
            no_setting: false,
            marks: Vec::new(),
            default: None,
            deprecated: None,
            kind: None,
            setting: None,
            ty: field.ty.clone(),
        };
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("attr")) {
            attribute.parse_nested_meta(|meta| {
                let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
                match word.as_str() {
                    "required" => parsed.required = true,
                    "optional" => parsed.optional = true,
                    "computed" => parsed.computed = true,
                    "stable" => parsed.stable = true,
                    "replace" => parsed.replace = true,
                    "sensitive" => parsed.sensitive = true,
                    "write_only" => parsed.write_only = true,
                    "no_setting" => parsed.no_setting = true,
                    "marks" => meta.parse_nested_meta(|mark| {
                        let name = mark.path.require_ident()?.to_string();
                        let value = if mark.input.peek(Token![=]) {
                            mark.value()?.parse::<LitStr>()?.value()
                        } else {
                            String::new()
                        };
                        parsed.marks.push((name, value));
                        Ok(())
                    })?,
                    "default" => parsed.default = Some(meta.value()?.parse()?),
                    "deprecated" => parsed.deprecated = Some(meta.value()?.parse()?),
                    "kind" => parsed.kind = Some(meta.value()?.parse()?),
                    "setting" => parsed.setting = Some(meta.value()?.parse()?),
                    "name" => parsed.name = meta.value()?.parse::<LitStr>()?.value(),
                    _ => return Err(meta.error("unknown word; see the documentation of tfplugin_derive")),
                }
                Ok(())
            })?;
        }
        parsed.check(field)?;
        Ok(parsed)
    }

    /// Checks the rules of Terraform's schemas that concern a single attribute.
    fn check(&self, field: &syn::Field) -> syn::Result<()> {
        let problem = match self {
            Self { required: true, optional: true, .. } | Self { required: true, computed: true, .. } => {
                "a required attribute is neither optional nor computed"
            }
            Self { required: false, optional: false, computed: false, .. } => {
                "say who sets it: required, optional, computed, or both of the last"
            }
            Self { write_only: true, computed: true, .. } => "a write-only attribute cannot be computed",
            Self { default: Some(_), optional: false, .. } => "only an optional attribute can have a default",
            Self { stable: true, computed: false, .. } => "only a computed attribute can be stable",
            Self { description, .. } if description.is_empty() => "every attribute needs a doc comment: users read it",
            _ => return Ok(()),
        };
        Err(syn::Error::new_spanned(field, problem))
    }

    pub(crate) fn definition(&self) -> TokenStream {
        let Self { name, description, sensitive, write_only, replace, ty, .. } = self;
        let change = if self.stable { quote!(Stable) } else { quote!(Volatile) };
        let change = quote!(::tfplugin::framework::schema::Change::#change);
        // For core, an attribute with a default is computed: core refuses a planned value that is neither configured
        // nor computed.
        let mode = match (self.required, self.optional, self.computed || self.default.is_some()) {
            (true, ..) => quote!(Required),
            (_, true, true) => quote!(OptionalComputed(#change)),
            (_, true, false) => quote!(Optional),
            _ => quote!(Computed(#change)),
        };
        let kind = match &self.kind {
            Some(function) => quote!(#function()),
            None => quote!(::tfplugin::framework::schema::field(::std::marker::PhantomData::<#ty>)),
        };
        let default = match &self.default {
            Some(value) => quote!(::tfplugin::framework::value::Raw::from(#value)),
            None => quote!(::tfplugin::framework::value::Raw::Null),
        };
        let deprecated = match &self.deprecated {
            Some(text) => quote!(::std::option::Option::Some(::std::borrow::Cow::Borrowed(#text))),
            None => quote!(::std::option::Option::None),
        };
        let setting = self.is_setting();
        let marks = self.marks.iter().map(|(name, value)| quote!((#name, #value)));
        quote! {
            ::tfplugin::framework::schema::Attribute {
                name: ::std::borrow::Cow::Borrowed(#name),
                description: ::std::borrow::Cow::Borrowed(#description),
                kind: #kind,
                mode: ::tfplugin::framework::schema::Mode::#mode,
                sensitive: #sensitive,
                write_only: #write_only,
                replace: #replace,
                setting: #setting,
                default: #default,
                deprecated: #deprecated,
                marks: &[#(#marks),*],
            }
        }
    }

    /// Generates a check at compile time: sensitive text has the type `Secret`, and a `Secret` is sensitive.
    pub(crate) fn check_secret(&self) -> TokenStream {
        let Self { name, sensitive, ty, .. } = self;
        let problem = format!("the attribute {name}: text is sensitive if, and only if, its type is Secret");
        quote!(
            const _: () = ::std::assert!(<#ty>::IS_SECRET == #sensitive, #problem);
        )
    }

    pub(crate) fn read(&self) -> TokenStream {
        let Self { ident, name, .. } = self;
        quote! {
            #ident: ::tfplugin::framework::value::Value::from_raw(
                attributes.remove(#name).unwrap_or_default(),
                &path.attribute(#name),
            )?
        }
    }

    pub(crate) fn write(&self) -> TokenStream {
        let Self { ident, name, .. } = self;
        quote!((::std::string::String::from(#name), self.#ident.into_raw()))
    }

    pub(crate) fn is_setting(&self) -> bool {
        (self.required || self.optional) && !self.write_only && !self.no_setting
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.sensitive || self.write_only
    }

    pub(crate) fn show(&self) -> TokenStream {
        let Self { ident, name, .. } = self;
        quote!(.field(#name, &self.#ident))
    }

    pub(crate) fn is_wholly_known(&self) -> TokenStream {
        let Self { ident, .. } = self;
        quote!(self.#ident.is_wholly_known())
    }
}

/// Returns the doc comment, line by line, without the space after the slashes.
fn description(field: &syn::Field) -> String {
    let lines: Vec<String> = field
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}
