//! `#[derive(Object)]`: schema, state type and conversions of a Terraform object from one struct.
//!
//! It also implements `Debug`, which omits sensitive and write-only fields, so that no log has a secret.
//!
//! Every field has the type `Value<T>`. Its doc comment is the description of the attribute, and its `#[attr(...)]`
//! defines the behaviour:
//!
//! | word | meaning |
//! | --- | --- |
//! | `required`, `optional`, `computed` | who sets it; `optional, computed` together are allowed |
//! | `stable` | a computed value that an update does not change |
//! | `replace` | a change forces a replacement |
//! | `default = EXPR` | the value if the user sets none: any expression that converts into a `Raw` |
//! | `sensitive`, `write_only` | hidden in output; never in plan or state. Sensitive text must be a `Secret` |
//! | `no_setting` | it configures the operation and not the managed object: `#[derive(Settings)]` omits it |
//! | `deprecated = "TEXT"` | what to use instead |
//! | `marks(NAME, NAME = "VALUE")` | further information for the provider, which reads it from the schema at run time |
//! | `kind = PATH` | a function that returns the `Kind`, for attributes with a schema that is built from data |
//! | `name = "NAME"` | the name in HCL, if the field cannot have it |
//! | `setting = TYPE` | its type in the struct of `#[derive(Settings)]`, if it differs from that of the attribute |

mod attribute;
mod settings;

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, parse_macro_input};

use crate::attribute::Field;

/// Derives `framework::Object` and, so that the struct can be nested, `framework::value::Known`.
#[proc_macro_derive(Object, attributes(attr))]
pub fn derive_object(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Derives `framework::settings::Setting`, and generates the struct of an object's settings, all of them known.
#[proc_macro_derive(Settings, attributes(attr))]
pub fn derive_settings(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let settings = fields(&input).and_then(|fields| settings::expand(&input, &fields));
    settings.unwrap_or_else(|error| error.to_compile_error()).into()
}

fn fields(input: &DeriveInput) -> syn::Result<Vec<Field>> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "only a struct can be a Terraform object"));
    };
    match &data.fields {
        Fields::Named(named) => named.named.iter().map(Field::parse).collect(),
        Fields::Unit => Ok(Vec::new()),
        Fields::Unnamed(_) => {
            Err(syn::Error::new_spanned(&data.fields, "the attributes of a Terraform object have names"))
        }
    }
}

fn expand(input: &DeriveInput) -> syn::Result<proc_macro2::TokenStream> {
    let fields = fields(input)?;
    let name = &input.ident;
    let attributes = fields.iter().map(Field::definition);
    let checks = fields.iter().map(Field::check_secret);
    let reads = fields.iter().map(Field::read);
    let writes = fields.iter().map(Field::write);
    let known = fields.iter().map(Field::is_wholly_known);
    let shown = fields.iter().filter(|field| !field.is_secret()).map(Field::show);
    let end = if fields.iter().any(Field::is_secret) { quote!(finish_non_exhaustive) } else { quote!(finish) };
    Ok(quote! {
        #(#checks)*
        #[automatically_derived]
        impl ::tfplugin::framework::schema::Object for #name {
            fn attributes() -> ::std::vec::Vec<::tfplugin::framework::schema::Attribute> {
                ::std::vec![#(#attributes),*]
            }
            fn from_raw_object(
                mut attributes: ::std::collections::BTreeMap<::std::string::String, ::tfplugin::framework::value::Raw>,
                path: &::tfplugin::framework::attribute_path::AttributePath,
            ) -> ::std::result::Result<Self, ::tfplugin::framework::value::Mismatch> {
                let _ = (&mut attributes, path);
                ::std::result::Result::Ok(Self { #(#reads),* })
            }
            fn into_raw_object(
                self,
            ) -> ::std::collections::BTreeMap<::std::string::String, ::tfplugin::framework::value::Raw> {
                ::std::collections::BTreeMap::from([#(#writes),*])
            }
        }
        #[automatically_derived]
        impl ::std::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(::std::stringify!(#name))#(#shown)*.#end()
            }
        }
        #[automatically_derived]
        impl ::tfplugin::framework::value::Known for #name {
            fn kind() -> ::tfplugin::framework::schema::Kind {
                ::tfplugin::framework::schema::Kind::Nested(
                    ::tfplugin::framework::schema::Nesting::Single,
                    <Self as ::tfplugin::framework::schema::Object>::attributes(),
                )
            }
            fn decode(
                raw: ::tfplugin::framework::value::Raw,
                path: &::tfplugin::framework::attribute_path::AttributePath,
            ) -> ::std::result::Result<Self, ::tfplugin::framework::value::Mismatch> {
                match raw {
                    ::tfplugin::framework::value::Raw::Map(attributes) => {
                        <Self as ::tfplugin::framework::schema::Object>::from_raw_object(attributes, path)
                    }
                    other => ::std::result::Result::Err(::tfplugin::framework::value::Mismatch::new(path, "an object", &other)),
                }
            }
            fn encode(self) -> ::tfplugin::framework::value::Raw {
                ::tfplugin::framework::value::Raw::Map(<Self as ::tfplugin::framework::schema::Object>::into_raw_object(self))
            }
            fn is_wholly_known(&self) -> bool {
                true #(&& #known)*
            }
        }
    })
}
